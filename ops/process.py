"""A process of the local network: started on a lifeline, watched, stopped cleanly."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from broker_config.lifeline import release, spawn

_LOG_LINES = 8


class Process:
    """One process, its output in ``<folder>/<name>.log``."""

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._process = spawn(command, self.log, environment=environment)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, or ``None`` while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def release(self) -> None:
        """Tell it to end cleanly; :meth:`wait` waits for that."""
        release(self._process)

    def wait(self, timeout: float) -> None:
        """Wait until it has ended; after ``timeout`` seconds it is killed."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        release(self._process)  # closes what held it

    def has_said(self, event: str) -> bool:
        """Tell whether its log has that event."""
        return event in self.log.read_text("utf-8", "replace")

    def last_words(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])
