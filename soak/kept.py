"""A process that is started again when it ends, as an owner or a service manager would."""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.process import Process

_PAUSE = 1.0
_STOP_SECONDS = 15.0


class Kept:
    """One process, over and over; each life of it has a log of its own.

    Attributes:
        lives: how often it was started.
        ends: how it ended by itself, by exit codes; negative: by that signal.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.lives = 0
        self.ends: list[int] = []
        self._command = command
        self._folder = folder
        self._environment = environment
        self._lock = threading.RLock()
        self._process: Process | None = None
        self._ended: float | None = None
        self._held = True

    def start(self) -> None:
        """Start it, and from now on again."""
        with self._lock:
            self._held = False
            if self._process is None or self._process.exit_code is not None:
                self.lives += 1
                name = f"{self.name}.{self.lives}"
                self._process, self._ended = Process(name, self._command, self._folder, self._environment), None

    def tend(self) -> None:
        """Start it again where it has ended a moment ago."""
        with self._lock:
            if self._held or self._process is None or self._process.exit_code is None:
                return
            if self._ended is None:
                self._ended = time.monotonic()
                self.ends.append(self._process.exit_code)
            if time.monotonic() >= self._ended + _PAUSE:
                self.start()

    def kill(self, *, hold: bool = False) -> None:
        """End it at once, as a crash would; held, it stays down."""
        with self._lock:
            self._held = hold
            if self._process:
                self._process.kill()

    def stop(self) -> None:
        """End it cleanly, and for as long as it is not started."""
        with self._lock:
            self._held = True
            if self._process:
                self._process.release()
                self._process.wait(_STOP_SECONDS)

    def release(self) -> None:
        """Tell it to end cleanly, and do not wait."""
        with self._lock:
            self._held = True
            if self._process:
                self._process.release()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        with self._lock:
            return self._process.pid if self._process and self._process.exit_code is None else None

    @property
    def exit_code(self) -> int | None:
        """How its last life ended, or ``None`` while it runs."""
        return self._process.exit_code if self._process else None

    def last_words(self) -> str:
        """Return the end of its last log."""
        return self._process.last_words() if self._process else ""
