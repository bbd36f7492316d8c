"""The model store: one folder for each model, whole or absent.

Beside the folder of a model ``NAME``, where there is a need of it: ``.NAME.lock`` (it is fetched or removed now),
``.NAME.fetch`` (what came of it until now), ``.NAME.pin.json`` (what it has to be, where the catalogue does not say),
``.NAME.verified`` (when it was last found sound), ``.NAME.use-….lock`` (a process uses it). When it was last used is
its folder's own time.
"""

import logging
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from broker_config.home import home, private_folder
from models.entry import CatalogueEntry, LocalFolder
from models.fetch import OnProgress, discard, fetch
from models.in_use import is_used, using
from models.pin import Pin, pinned, write_pin
from models.room import Room, Stored, to_remove
from models.verify import faults, verify
from starai.errors import ModelCorrupt, ModelInUse, ModelUnavailable

log = logging.getLogger(__name__)


class ModelStore:
    """The models that this machine has.

    Args:
        folder: where they are kept; ``models`` in the project's home folder if not given.
        lent: bytes that they may take together; ``None``: half of what is free where there are none.
        hosted: models that are never removed to make room for others.
    """

    def __init__(self, folder: Path | None = None, lent: int | None = None, hosted: Collection[str] = ()) -> None:
        self.folder = folder or home() / "models"
        self._lent = lent
        self._hosted = frozenset(hosted)

    def known(self, entry: CatalogueEntry) -> CatalogueEntry:
        """Return a model with all that is known of its files: from the catalogue, or from its first pull.

        Raises:
            ModelCorrupt: what is known cannot be read.
        """
        return pinned(entry, self.pin_file(entry.name))

    def ensure(self, entry: CatalogueEntry, on_progress: OnProgress = lambda _done, _total: None) -> Path:
        """Return the model's folder, every file in it verified; fetch the model first if it is not there.

        Several processes may ask at once: one fetches, the others wait for it. What was cut off is gone on with at the
        next time. It counts as a use of the model.

        Raises:
            ModelUnavailable: it is not there and cannot be fetched, or there is no room for it.
            ModelCorrupt: a file is not what the catalogue says or what it was at the first time, here or at the source.
        """
        target = self.folder / entry.name
        with self._locked(entry.name):
            if is_new := not target.is_dir():
                self._fetch(entry, target, on_progress)
        if not is_new:
            verify(_with_files(self.known(entry)), target)
        self._note_sound(entry.name, sound=True)
        self._note_use(entry.name)
        return target

    def repair(self, entry: CatalogueEntry) -> Path:
        """Return the model's folder as :meth:`ensure` does, but fetch the model anew where a file of it is corrupt.

        Raises:
            ModelUnavailable: it cannot be fetched.
            ModelCorrupt: the source gives something else than the catalogue says, or the files cannot be removed.
        """
        try:
            return self.ensure(entry)
        except ModelCorrupt as error:
            self._discard(entry, str(error))
        return self.ensure(entry)

    def faults(self, entry: CatalogueEntry) -> list[str]:
        """Return what is wrong with the files of a model that is here, a sentence for each; none if all is well.

        Raises:
            ModelUnavailable: it is not here.
            ModelCorrupt: nobody knows what its files have to be.
        """
        target = self.folder / entry.name
        if not target.is_dir():
            raise ModelUnavailable(
                f"The model {entry.name} is not here. Fetch it: starai-worker models pull {entry.name}"
            )
        found = [f"{path} {fault}." for path, fault in faults(_with_files(self.known(entry)), target)]
        self._note_sound(entry.name, sound=not found)
        return found

    @contextmanager
    def using(self, entry: CatalogueEntry) -> Iterator[None]:
        """Use a model: meanwhile nobody removes it.

        Raises:
            ModelUnavailable: the store cannot be written to.
        """
        with ExitStack() as held:
            with self._told(entry.name):
                held.enter_context(using(private_folder(self.folder), entry.name))
            held.callback(self._note_use, entry.name)
            yield

    def is_used(self, model: str) -> bool:
        """Tell whether a process uses a model."""
        return is_used(self.folder, model)

    def names(self) -> list[str]:
        """Return the models that are here, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def room(self) -> Room:
        """Return how much room there is, and what takes it."""
        stored = (self._stored(name) for name in self.names())
        free = shutil.disk_usage(next(path for path in (self.folder, *self.folder.parents) if path.exists())).free
        return Room(self._lent, free, tuple(stored), str(self.folder))

    def remove(self, model: str) -> bool:
        """Remove a model, and what came of it until now. What it has to be is kept.

        Returns:
            Whether there was anything of it.

        Raises:
            ModelInUse: a process uses it.
            ModelUnavailable: the files cannot be removed.
        """
        with self._locked(model):
            if self.is_used(model):
                raise ModelInUse(
                    f"A device that runs uses the model {model}. End it first (`starai-worker exit`), then remove it."
                )
            return self._remove(model)

    def pin_file(self, model: str) -> Path:
        """Return where it is kept what a model has to be."""
        return self.folder / f".{model}.pin.json"

    def verified_file(self, model: str) -> Path:
        """Return the file whose time is when the model was last found sound."""
        return self.folder / f".{model}.verified"

    def partial_folder(self, model: str) -> Path:
        """Return where it is kept what came of a model until now."""
        return self.folder / f".{model}.fetch"

    def _discard(self, entry: CatalogueEntry, reason: str) -> None:
        with self._locked(entry.name):
            try:
                verify(self.known(entry), self.folder / entry.name)
            except ModelCorrupt:  # still: another process may have fetched it anew
                log.warning("model.discarded", extra={"model": entry.name, "reason": reason})
                shutil.rmtree(self.folder / entry.name, ignore_errors=True)

    def _fetch(self, entry: CatalogueEntry, target: Path, on_progress: OnProgress) -> None:
        """Fetch into a folder aside and put it in place by one rename; the lock is held."""
        begun, work = time.monotonic(), self.partial_folder(entry.name)
        work.mkdir(mode=0o700, exist_ok=True)
        discard(work)
        work.mkdir(mode=0o700, exist_ok=True)
        log.info("model.fetching", extra={"model": entry.name, "source": entry.source.label})
        try:
            fetched = fetch(self.known(entry), work, lambda *room: self._make_room(entry.name, *room), on_progress)
            if not self.known(entry).files:
                pin = Pin(source=entry.source.label, revision=fetched.revision, files=fetched.files)
                write_pin(pin, self.pin_file(entry.name))
            fetched.folder.rename(target)
        finally:
            discard(work)
        log.info("model.fetched", extra={"model": entry.name, "seconds": round(time.monotonic() - begun, 1)})

    def _make_room(self, model: str, size: int, missing: int) -> None:
        for other in to_remove(self.room(), model, size, missing):
            try:
                with FileLock(self._lock_file(other), timeout=0):
                    gone = not self.is_used(other) and self._remove(other)
            except Timeout:
                gone = False
            if gone:
                log.info("model.removed", extra={"model": other, "to_make_room_for": model})

    def _remove(self, model: str) -> bool:
        """Remove a model, its folder out of the way first, so that it is never there in part; the lock is held."""
        target, aside = self.folder / model, self.partial_folder(model)
        was_there = target.is_dir() or aside.is_dir()
        shutil.rmtree(aside, ignore_errors=True)
        if target.is_dir():
            target.rename(aside)
            shutil.rmtree(aside)
        self.verified_file(model).unlink(missing_ok=True)
        return was_there

    def _stored(self, model: str) -> Stored:
        folder = self.folder / model
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return Stored(model, size, folder.stat().st_mtime, model in self._hosted or self.is_used(model))

    def _note_use(self, model: str) -> None:
        with suppress(OSError):  # where it cannot be written, it is not known, and no more
            os.utime(self.folder / model)

    def _note_sound(self, model: str, *, sound: bool) -> None:
        with suppress(OSError):
            if sound:
                self.verified_file(model).touch(mode=0o600)
            else:
                self.verified_file(model).unlink(missing_ok=True)

    def _lock_file(self, model: str) -> Path:
        return private_folder(self.folder) / f".{model}.lock"

    @contextmanager
    def _locked(self, model: str) -> Iterator[None]:
        with self._told(model), FileLock(self._lock_file(model)):
            yield

    @contextmanager
    def _told(self, model: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ModelUnavailable(
                f"The model {model} could not be kept in {self.folder}: {error.strerror or error}. "
                "Make room there, or set STARAI_HOME to a folder elsewhere."
            ) from error


def from_folder(entry: CatalogueEntry, folder: Path) -> CatalogueEntry:
    """Return a model that is to be fetched from a folder of this machine, whatever the catalogue says."""
    return entry.model_copy(update={"source": LocalFolder(type="folder", path=folder)})


def _with_files(entry: CatalogueEntry) -> CatalogueEntry:
    if entry.files:
        return entry
    raise ModelCorrupt(
        f"Nobody knows what the files of the model {entry.name} have to be: they were put there by hand. Remove "
        f"it (`starai-worker models remove {entry.name}`) and pull it again, with --from FOLDER if it is yours."
    )
