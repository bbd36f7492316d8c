"""What a model was at its first pull, where the catalogue does not say: from then on it has to be that."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from broker_config.home import write_private
from models.entry import CatalogueEntry, HuggingFaceRepository, ModelFile
from starai.errors import ModelCorrupt


class Pin(BaseModel):
    """A model's files, and the revision that they are of, where their source has such a thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    revision: str | None = None
    files: tuple[ModelFile, ...]


def write_pin(pin: Pin, file: Path) -> None:
    """Write a pin down for this user alone, whole or not at all."""
    write_private(file, pin.model_dump_json(indent=2))


def pinned(entry: CatalogueEntry, file: Path) -> CatalogueEntry:
    """Return a model with the files and the revision of its pin; as it is, where there is no pin or no need of one.

    Raises:
        ModelCorrupt: the pin cannot be read.
    """
    if entry.files:
        return entry
    try:
        pin = Pin.model_validate_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return entry
    except (ValidationError, UnicodeDecodeError) as error:
        raise ModelCorrupt(
            f"What the model {entry.name} has to be cannot be read in {file}. Delete that file and the model "
            f"(`starai-worker models remove {entry.name}`), then pull it again."
        ) from error
    source = entry.source
    if isinstance(source, HuggingFaceRepository) and pin.revision:
        source = source.model_copy(update={"revision": pin.revision})
    return entry.model_copy(update={"files": pin.files, "source": source})
