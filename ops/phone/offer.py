"""What is offered of a model to phones: which files it consists of, what each has to be, and where it is here."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from models.browser import runs_in_browser
from models.entry import CatalogueEntry, ModelFile
from models.verify import sha256_of
from starai.errors import ModelCorrupt

# A file that is altered has another one of these.
_Mark = tuple[int, int, int]


@dataclass(frozen=True)
class OfferedFile:
    """A file, as it was when it was verified."""

    file: ModelFile
    here: Path
    mark: _Mark | None

    @property
    def is_unchanged(self) -> bool:
        """Whether it is still the one that was verified."""
        return self.mark is not None and _mark(self.here) == self.mark


@dataclass(frozen=True)
class Offer:
    """A model that phones may have.

    Attributes:
        manifest: what a phone is told of it.
        files: by their paths there.
    """

    manifest: dict[str, Any]
    files: Mapping[str, OfferedFile]

    @property
    def is_unchanged(self) -> bool:
        """Whether all of it is still what was verified."""
        return all(offered.is_unchanged for offered in self.files.values())


def is_for_phones(entry: CatalogueEntry) -> bool:
    """Tell whether a phone can run a model: a tiny one that embeds, whose graph this package has."""
    return runs_in_browser(entry) and entry.graph is not None


def offer_of(entry: CatalogueEntry, folder: Path) -> Offer:
    """Return what is offered of a model.

    Args:
        entry: the model, with all of its files.
        folder: where they are, each of them just verified.

    Raises:
        ModelCorrupt: a file does not say what it should.
    """
    graph = _graph(entry)
    offered = {file.path: _offered(file, folder / file.path) for file in entry.files}
    manifest = {
        "name": entry.name,
        "kind": entry.kind.value,
        "longest": _longest(entry.name, folder),
        "graph": graph.file.model_dump(),
        "files": [file.model_dump() for file in entry.files],
    }
    return Offer(manifest, {graph.file.path: graph} | offered)


def _graph(entry: CatalogueEntry) -> OfferedFile:
    path = entry.graph or ""
    here = Path(str(resources.files("models") / path))
    return _offered(ModelFile(path=path, size=here.stat().st_size, sha256=sha256_of(here)), here)


def _offered(file: ModelFile, here: Path) -> OfferedFile:
    return OfferedFile(file, here, _mark(here))


def _longest(model: str, folder: Path) -> int:
    try:
        return int(json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelCorrupt(f"The model {model} does not say how long its texts may be.") from error


def _mark(path: Path) -> _Mark | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None
