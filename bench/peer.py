"""A peer: a process of ours on the other side of the broker. It ends with the benchmark, however that ends."""

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError

_CONTEXT = multiprocessing.get_context("spawn")  # the same on every system, and no locks of a thread half taken
_SECONDS = 60.0


class Control:
    """The peer's end: what it says to the benchmark, and what it is told."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def say(self, message: object) -> None:
        """Tell the benchmark something; any thread may."""
        with self._lock:
            self._connection.send(message)

    def listen(self, on_message: Callable[[Any], None], on_end: Callable[[], None] = lambda: os._exit(0)) -> None:
        """Call ``on_message``, on a thread of its own, for what the benchmark says; ``on_end`` once it has ended."""

        def read() -> None:
            while True:
                try:
                    message = self._connection.recv()
                except (EOFError, OSError):
                    return on_end()
                on_message(message)

        threading.Thread(target=read, name="control", daemon=True).start()


class Peer:
    """One peer that runs ``target(control, *arguments)``, and says anything once it is ready."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self._name = target.__module__
        self._folder = tempfile.TemporaryDirectory(prefix="starai-peer-")
        self._log = Path(self._folder.name) / "log"
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(target, theirs, str(self._log), arguments))
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    def ask(self, message: object, seconds: float = _SECONDS) -> Any:
        """Tell the peer something and return what it answers."""
        self.tell(message)
        return self.hear(seconds)

    def tell(self, message: object) -> None:
        """Tell the peer something."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._ended() from error

    def hear(self, seconds: float = _SECONDS) -> Any:
        """Wait for the next thing that the peer says.

        Raises:
            BenchError: it ended, or said nothing in time.
        """
        deadline = time.monotonic() + seconds
        while not self._connection.poll(0.5):
            self.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{self._name} said nothing for {seconds:g} s.\n{self._last_words()}")
        try:
            return self._connection.recv()
        except EOFError as error:
            raise self._ended() from error

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            BenchError: it ended; with the last lines of what it wrote.
        """
        if not self._process.is_alive():
            raise self._ended()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(5.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        try:
            self.hear()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ended(self) -> BenchError:
        return BenchError(f"{self._name} ended.\n{self._last_words()}")

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-20:])


def _run(target: Callable[..., None], connection: "Connection[Any, Any]", log: str, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the benchmark's, which then ends its peers
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    target(Control(connection), *arguments)
