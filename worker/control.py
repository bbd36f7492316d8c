"""How an owner's commands and the device that runs reach each other: by files beside its enrolment.

No port and no socket, so it is the same on every system and nobody else can reach it: the files are their owner's
alone. A lock tells whether a device runs. The system lets go of it with the process, however that ends.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from broker_config.home import private_folder, write_private
from starai.errors import DeviceRuns, SettingError
from worker.preferences import preferences_beside
from worker.status import Status
from worker.wishes import Wishes

# Who looks whether a device runs holds its lock for a moment; neither a start nor another look is to fail of that.
_MOMENT = 0.5
_POLL = 0.02
_TRIES = 5

_Data = TypeVar("_Data", bound=BaseModel)


class Control:
    """The files of one enrolment: ``enrolment.json`` has ``enrolment.lock``, ``enrolment.status.json`` and so on.

    Raises:
        SettingError: (the methods) the files cannot be read or written.
    """

    def __init__(self, enrolment: Path) -> None:
        self.enrolment = enrolment.absolute()
        self._lock = FileLock(self.enrolment.with_suffix(".lock"), mode=0o600)
        self._writing = FileLock(self.enrolment.with_suffix(".wishes.lock"), mode=0o600)
        self._status = self.enrolment.with_suffix(".status.json")
        #: What its owner prefers.
        self.preferences_file = preferences_beside(self.enrolment)
        #: What the device looks at twice a second.
        self.wishes_file = self.enrolment.with_suffix(".wishes.json")

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Be the device that runs with this enrolment. A pause that was wished before holds; an exit is void.

        Raises:
            DeviceRuns: another one is.
        """
        with _files(self.enrolment.parent):
            private_folder(self.enrolment.parent)
            try:
                self._lock.acquire(_MOMENT, _POLL)
            except Timeout as error:
                raise DeviceRuns(self._who_runs()) from error
        try:
            self.change_wishes(lambda wishes: wishes.model_copy(update={"exit": None}))
            yield
        finally:
            self._lock.release()

    def runs(self) -> bool:
        """Tell whether a device runs with this enrolment."""
        with _files(self.enrolment.parent):
            if not self.enrolment.parent.exists():
                return False
            try:
                with self._lock.acquire(_MOMENT, _POLL):
                    return False
            except Timeout:
                return True

    def status(self) -> Status | None:
        """Return what the device says of itself, or said last; ``None`` where none has said anything."""
        return _read(Status, self._status)

    def tell(self, status: Status) -> None:
        """Let commands know how the device is."""
        with _files(self._status):
            write_private(self._status, status.model_dump_json(indent=2))

    def wishes(self) -> Wishes:
        """Return what the owner wishes."""
        return _read(Wishes, self.wishes_file) or Wishes()

    def change_wishes(self, change: Callable[[Wishes], Wishes]) -> None:
        """Change what the owner wishes; commands that do so at once do it one after the other."""
        with _files(self.wishes_file), self._writing:
            before = self.wishes()
            if (after := change(before)) != before:
                write_private(self.wishes_file, after.model_dump_json(indent=2))

    def _who_runs(self) -> str:
        status = self.status()
        who = f" (process {status.pid})" if status and status.ended is None else ""
        return (
            f"A device runs with the enrolment {self.enrolment} already{who}. See `starai-worker status`; "
            "`starai-worker exit` ends it."
        )


def _read(kind: type[_Data], file: Path) -> _Data | None:
    """Return what is in the file; ``None`` where there is none, or what is no such data."""
    with _files(file):
        try:
            return kind.model_validate_json(_text(file))
        except (FileNotFoundError, ValidationError, UnicodeDecodeError):
            return None


def _text(file: Path) -> str:
    for _ in range(_TRIES - 1):
        try:
            return file.read_text("utf-8")
        except PermissionError:  # Windows: it is being replaced at this moment
            time.sleep(_POLL)
    return file.read_text("utf-8")


@contextmanager
def _files(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingError(
            f"The files by which a device and its owner talk cannot be used in {place}: {error.strerror or error}."
        ) from error


def utc_now() -> datetime:
    """Return the time, as the files have it."""
    return datetime.now(UTC)
