"""Fetching a model's files from their source, each of them verified."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.entry import CatalogueEntry, ModelFile
from models.sources import OfferedFile, Source, source_of
from models.verify import fault_of, sha256_of
from starai.errors import ModelCorrupt

#: Told how many bytes of a model are here, and how many there are in all.
OnProgress = Callable[[int, int], None]
#: Asked for room before anything is fetched: for what the model takes in the end, and what is missing of that now.
MakeRoom = Callable[[int, int], None]


@dataclass(frozen=True)
class Fetched:
    """What was fetched: a folder with these files and no others, of that revision, if its source has such a thing."""

    folder: Path
    files: tuple[ModelFile, ...]
    revision: str | None


def fetch(entry: CatalogueEntry, work: Path, make_room: MakeRoom, on_progress: OnProgress) -> Fetched:
    """Fetch a model's files into a folder below ``work``, which is all that this touches.

    What an earlier try left there is not fetched again.

    Raises:
        ModelUnavailable: the source did not give them, or there is no room.
        ModelCorrupt: it gave something else than the catalogue, the pin or itself says, twice.
    """
    source, folder = source_of(entry, work), work / "files"
    offer = source.offer()
    folder.mkdir(mode=0o700, exist_ok=True)
    _leave_alone({file.path for file in offer.files}, folder)
    tally = _Tally(_size(folder), offer.size, on_progress)
    make_room(offer.size, offer.size - tally.done + offer.spare_bytes)
    files = tuple(_Fetching(entry.name, source, file, folder / file.path, tally).verified() for file in offer.files)
    return Fetched(folder, files, offer.revision)


class _Tally:
    """How much of a model is here."""

    def __init__(self, done: int, total: int, on_progress: OnProgress) -> None:
        self.done = done
        self._total = total
        self._on_progress = on_progress
        on_progress(done, total)

    def add(self, count: int) -> None:
        """Count what came, or what has to come again."""
        self.done += count
        self._on_progress(self.done, self._total)


class _Fetching:
    """One file of a model that is fetched."""

    def __init__(self, model: str, source: Source, file: OfferedFile, target: Path, tally: _Tally) -> None:
        self._model = model
        self._source = source
        self._file = file
        self._target = target
        self._tally = tally

    def verified(self) -> ModelFile:
        """Return the file once it is here and sound. One that is corrupt is fetched once more, and then refused."""
        _folders(self._target.parent)
        if self._target.exists() and self._target.stat().st_nlink > 1:
            self._drop()  # it was linked from somebody's folder, where nothing may change
        try:
            return self._once()
        except ModelCorrupt:
            return self._once()

    def _once(self) -> ModelFile:
        if not self._is_whole():
            self._source.fetch(self._file, self._target, self._tally.add)
        if fault := self._fault():
            self._drop()
            raise ModelCorrupt(
                f"The model {self._model} was not kept: {self._file.path}, as it came from its source, {fault}. "
                "Try again later; if it happens again, the source has another file than it had, or says that it has."
            )
        known = self._file.sha256 or sha256_of(self._target)
        return ModelFile(path=self._file.path, size=self._file.size, sha256=known)

    def _is_whole(self) -> bool:
        return self._target.is_file() and self._target.stat().st_size == self._file.size > 0

    def _fault(self) -> str | None:
        file = self._file
        if file.sha256:
            return fault_of(self._target, ModelFile(path=file.path, size=file.size, sha256=file.sha256))
        if (size := self._target.stat().st_size) != file.size:
            return f"has {size} bytes instead of {file.size}"
        if file.git_sha1 and _git_sha1(self._target) != file.git_sha1:
            return f"is not what git calls {file.git_sha1}"
        return None

    def _drop(self) -> None:
        if self._target.exists():
            self._tally.add(-self._target.stat().st_size)
            self._target.unlink()


def _git_sha1(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _leave_alone(paths: set[str], folder: Path) -> None:
    """Remove what an earlier try left that is no file of the model now."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder).as_posix() not in paths:
            path.unlink()


def _folders(path: Path) -> None:
    """Make folders, each its owner's alone: of ``parents=True`` only the last one would be."""
    if not path.exists():
        _folders(path.parent)
        path.mkdir(mode=0o700)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def discard(work: Path) -> None:
    """Remove what fetching left; what came of files is kept for the next try."""
    kept = work / "files"
    if not any(path.is_file() and path.stat().st_size for path in kept.rglob("*")):
        shutil.rmtree(work, ignore_errors=True)
        return
    for path in work.iterdir():
        if path.is_file():
            path.unlink()
        elif path != kept:
            shutil.rmtree(path, ignore_errors=True)
