"""The shape of every source of models: it says what it has, and gives one file after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.entry import CatalogueEntry, ModelFile

#: Told how many bytes more there are of a file; fewer than none where it is begun anew.
OnBytes = Callable[[int], None]


@dataclass(frozen=True)
class OfferedFile:
    """A file of a model, as its source tells.

    Attributes:
        path: below the model's folder.
        sha256: of its content, where that is known before it is fetched.
        git_sha1: what git calls its content by, where the source tells that.
    """

    path: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None


@dataclass(frozen=True)
class Offer:
    """What a source has of a model.

    Attributes:
        revision: of the whole, where the source has such a thing.
        spare_bytes: room on the disk that fetching takes besides the files.
    """

    files: tuple[OfferedFile, ...]
    revision: str | None = None
    spare_bytes: int = 0

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)


class Source(Protocol):
    """Where one model comes from."""

    def offer(self) -> Offer:
        """Return what there is.

        Raises:
            ModelUnavailable: the source does not say, or has no such model.
        """

    def fetch(self, file: OfferedFile, target: Path, on_bytes: OnBytes) -> None:
        """Put one file there; go on with what is there already, where the source can. Whoever asks verifies it.

        Raises:
            ModelUnavailable: the source does not give it.
            ModelCorrupt: it gave something else.
        """


def offered(files: tuple[ModelFile, ...]) -> tuple[OfferedFile, ...]:
    """Return files that are known as those that a source has."""
    return tuple(OfferedFile(file.path, file.size, file.sha256) for file in files)


def known_offer(entry: CatalogueEntry, revision: str | None = None) -> Offer | None:
    """Return what a source must have, where the catalogue or a pin says so."""
    return Offer(offered(entry.files), revision) if entry.files else None
