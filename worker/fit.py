"""Which models this device's memory can hold. How many it should host is the deployment plan's question."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from models.entry import CatalogueEntry

#: Tokens of one conversation that must fit beside a model's weights.
CONTEXT_TOKENS = 4096


class Fit(BaseModel):
    """A model, the bytes that it needs for its weights and one conversation, and whether they are available."""

    model_config = ConfigDict(frozen=True)

    model: str
    needed_bytes: int
    fits_memory: bool


def fits(entries: Iterable[CatalogueEntry], available_bytes: int) -> list[Fit]:
    """Return for each model whether so much memory holds it, the smallest first."""
    needs = {entry.name: entry.weight_bytes + CONTEXT_TOKENS * entry.kv_bytes_per_token for entry in entries}
    return [
        Fit(model=name, needed_bytes=needed, fits_memory=needed <= available_bytes)
        for name, needed in sorted(needs.items(), key=lambda pair: pair[1])
    ]
