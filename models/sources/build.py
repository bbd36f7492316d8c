"""Models that nobody publishes as ONNX."""

from models.entry import CatalogueEntry, LocalBuild
from starai.errors import ModelUnavailable


def unbuilt(entry: CatalogueEntry, build: LocalBuild) -> ModelUnavailable:
    """Return the error that says how the model is built and brought here."""
    return ModelUnavailable(
        f"Nobody publishes the model {entry.name} as ONNX. Build it, on a machine with about "
        f"{build.memory_bytes / 1e9:.0f} GB of memory: `{build.command}`. Then bring it here: "
        f"`starai-worker models pull {entry.name} --from FOLDER`. docs/models.md says more."
    )
