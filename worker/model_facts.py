"""What there is to know of the models on this machine."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from broker_config.tiers import Tier
from models.catalogue import Catalogue
from models.entry import CatalogueEntry
from models.room import Stored
from models.store import ModelStore
from starai.errors import ModelCorrupt


class ModelFacts(BaseModel):
    """A model of the catalogue, or one that is here alone.

    Attributes:
        tier, source: ``None`` of a model that is not in the catalogue any more.
        size_bytes: of what is here of it; of one that is not, what is known or expected.
        here: whether it is whole; ``partial_bytes`` tells what came of one that is not.
        verified: when all of its files were last found sound; ``None``: not since something was found wrong.
        planned: whether the device is to host it; ``None`` where this machine has joined no network.
        in_use: whether a process uses it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    tier: Tier | None
    size_bytes: int
    source: str | None
    here: bool
    partial_bytes: int = 0
    verified: datetime | None = None
    last_used: datetime | None = None
    planned: bool | None = None
    in_use: bool = False


def gather(catalogue: Catalogue, store: ModelStore, planned: frozenset[str] | None) -> list[ModelFacts]:
    """Return the facts of every model, those of the catalogue first.

    Args:
        catalogue: all models that are known.
        store: those that are here.
        planned: the models that the device is to host.
    """
    here = {one.name: one for one in store.room().stored}
    known = {entry.name: entry for entry in catalogue}
    names = [*known, *(name for name in here if name not in known)]
    return [_facts(name, known.get(name), here.get(name), store, planned) for name in names]


def _facts(
    name: str, entry: CatalogueEntry | None, stored: Stored | None, store: ModelStore, planned: frozenset[str] | None
) -> ModelFacts:
    return ModelFacts(
        name=name,
        tier=entry.tier if entry else None,
        size_bytes=stored.size if stored else _expected_bytes(entry, store),
        source=entry.source.label if entry else None,
        here=stored is not None,
        partial_bytes=_bytes_in(store.partial_folder(name)),
        verified=_moment_of(store.verified_file(name)) if stored else None,
        last_used=datetime.fromtimestamp(stored.last_used, UTC) if stored else None,
        planned=None if planned is None else name in planned,
        in_use=store.is_used(name),
    )


def _expected_bytes(entry: CatalogueEntry | None, store: ModelStore) -> int:
    if entry is None:
        return 0
    try:
        return sum(file.size for file in store.known(entry).files) or entry.weight_bytes
    except ModelCorrupt:
        return entry.weight_bytes


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _moment_of(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None
