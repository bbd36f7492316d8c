"""One process with one model in it, seen from outside: what it was asked, what it answered, how it ended."""

import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, cast

from models.entry import CatalogueEntry
from models.memory import LOOK_EVERY, most_bytes, taken_bytes
from models.messages import LOADED, Answer, Asked, Made, Piece, Request, Withdrawal, read_answer, write_request
from models.on_gpu import OnGpu
from starai.errors import ModelCrashed, ModelError, StarAIError

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent
# So that Ctrl-C in the terminal does not reach the process. POSIX has sessions for that.
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class ModelProcess:
    """A process that loads a model and runs it for as long as it lives. Any thread may ask it.

    One that takes more memory than a model of its size may is ended.

    Attributes:
        loaded: ends when the model is ready; raises what kept it from loading.
    """

    def __init__(self, entry: CatalogueEntry, folder: Path, threads: int, gpu: OnGpu | None = None) -> None:
        self._model = entry.name
        self._most_bytes = most_bytes(entry, on_gpu=gpu is not None)
        self._over = threading.Event()
        self._began = self._heard = time.monotonic()
        self._ids = itertools.count(LOADED + 1)
        self._lock = threading.Lock()
        self._end_reason: str | None = None
        self._is_silent = False
        self.loaded: Future[Made] = Future()
        self._under_way: dict[int, Future[Made]] = {LOADED: self.loaded}
        self._listeners: dict[int, Callable[[str], None]] = {}
        # Requests are written by a thread of their own: a process that hangs reads nothing, and its pipe is short.
        self._outbox: SimpleQueue[Request | Withdrawal | None] = SimpleQueue()
        self._popen = _start(entry, folder, threads, gpu)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._write, self._watch)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    def has_answered_since(self, moment: float) -> bool:
        """Tell whether it has said anything to anybody since that time on ``time.monotonic()``."""
        return self._heard > moment

    @property
    def is_alive(self) -> bool:
        """Whether it may be asked: nobody ended it, and its output is open as long as it runs."""
        return self._end_reason is None and not self._is_silent

    def ask(self, asked: Asked, on_piece: Callable[[str], None] | None = None) -> "Future[Made]":
        """Hand it texts, or a prompt, and return the future of their rows, or of the text that follows.

        The future raises BadInput or ModelError as the model does, and ModelCrashed when the process ends first.
        Pieces of the text are handed to ``on_piece`` as they come; it has to be quick, and not to raise.
        """
        answer: Future[Made] = Future()
        with self._lock:
            if self._end_reason is not None:
                answer.set_exception(ModelCrashed(self._end_reason))
                return answer
            request = Request(next(self._ids), asked)
            self._under_way[request.id] = answer
            if on_piece is not None:
                self._listeners[request.id] = on_piece
        self._outbox.put(request)
        return answer

    def withdraw(self, answer: "Future[Made]") -> None:
        """Drop what was asked for: it is not begun, or not gone on with after this step. Its future never ends."""
        with self._lock:
            found = next((number for number, one in self._under_way.items() if one is answer), None)
            if found is None:  # it was answered, or the process has ended
                return
            del self._under_way[found]
            self._listeners.pop(found, None)
        self._outbox.put(Withdrawal(found))

    def end(self, reason: str) -> None:
        """Kill the process; what it has not answered ends as ModelCrashed, for that reason. The first one counts."""
        with self._lock:
            first = self._end_reason is None
            self._end_reason = self._end_reason or reason
            left, self._under_way = self._under_way, {}
        self._over.set()
        self._popen.kill()
        self._outbox.put(None)
        for answer in left.values():
            answer.set_exception(ModelCrashed(self._end_reason))
        if first:
            log.info("model.ended", extra={"model": self._model, "reason": reason, "lost": len(left)})

    def join(self, timeout: float) -> None:
        """Wait at most that many seconds until the process is gone and its pipes are closed."""
        for thread in self._threads:
            thread.join(timeout)

    def _read(self) -> None:
        with cast("BinaryIO", self._popen.stdout) as stream:
            while (answer := read_answer(stream)) is not None:
                self._heard = time.monotonic()
                if isinstance(answer, Piece):
                    self._hand_on(answer)
                else:
                    self._settle(answer)
        self._is_silent = True
        self.end(f"The process of the model {self._model} {_how(self._popen.wait())}. The next run starts a new one.")

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            if (taken := taken_bytes(self.pid)) > self._most_bytes:
                most = f"{self._most_bytes / 1e9:.1f} GB is the most"
                self.end(f"The process of the model {self._model} was ended: it took {taken / 1e9:.1f} GB, and {most}.")

    def _hand_on(self, piece: Piece) -> None:
        with self._lock:
            listener = self._listeners.get(piece.id)
        if listener is not None:
            listener(piece.text)

    def _settle(self, answer: Answer) -> None:
        with self._lock:
            future = self._under_way.pop(answer.id, None)
            self._listeners.pop(answer.id, None)
        if future is None:  # it was ended, or withdrawn, a moment ago
            return
        if isinstance(answer.outcome, StarAIError):
            future.set_exception(answer.outcome)
            return
        if answer.id == LOADED:
            seconds = round(time.monotonic() - self._began, 2)
            log.info("model.loaded", extra={"model": self._model, "pid": self.pid, "seconds": seconds})
        future.set_result(answer.outcome)

    def _write(self) -> None:
        # When the process has died, those who wait hear it from the reader.
        with contextlib.suppress(OSError), cast("BinaryIO", self._popen.stdin) as stream:
            while (request := self._outbox.get()) is not None:
                write_request(stream, request)


def _start(entry: CatalogueEntry, folder: Path, threads: int, gpu: OnGpu | None) -> "subprocess.Popen[bytes]":
    # -P: a models.py in the current folder is not ours.
    command = [sys.executable, "-P", "-m", "models.child", entry.model_dump_json(), str(folder), str(threads)]
    sees: dict[str, str] = {}
    if gpu is not None:
        command.append(gpu.model_dump_json())
        sees = gpu.environment(os.environ)
    try:
        return subprocess.Popen(
            command,
            env=child_environment(os.environ, threads) | sees,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            creationflags=_NEW_GROUP,
        )
    except OSError as error:
        raise ModelError(
            f"The process of the model {entry.name} could not be started: {error.strerror}. Is there enough memory?"
        ) from error


def child_environment(variables: Mapping[str, str], threads: int) -> dict[str, str]:
    """Return the environment for a model's process: none of our own settings, since some of them are secrets."""
    kept = {name: value for name, value in variables.items() if not name.upper().startswith("STARAI_")}
    if str(_ROOT) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        paths = [str(_ROOT), *filter(None, [variables.get("PYTHONPATH")])]
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    # The tokenizer's threads, which would otherwise be as many as the machine has cores.
    return {**kept, "RAYON_NUM_THREADS": str(threads)}


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    if -code == getattr(signal, "SIGKILL", 9):
        return "was killed, as systems do that run out of memory"
    return f"died of signal {-code} ({signal.strsignal(-code)})"
