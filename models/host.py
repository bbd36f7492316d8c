"""A model's host: keeps one process with the model in it, and starts another when that one fails."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from models.entry import CatalogueEntry, Kind
from models.lease import Lease
from models.messages import Arrays, Made, Rows
from models.on_gpu import OnGpu
from models.process import ModelProcess
from starai.errors import BadInput, Cancelled, ModelError, ModelHung
from starai.generation import Generated, Prompt
from starai.tensor import sendable

#: Seconds that a model may take to load: 40 GB from a slow disk take minutes.
LOAD_SECONDS = 600.0
# A killed process is gone at once, unless a driver holds it.
_END_SECONDS = 5.0


class ModelHost:
    """Runs one model in a process of its own, so that what the model does to it cannot harm this one.

    Args:
        entry: the model.
        folder: where its files are; they are verified at each load.
        threads: how many threads it may use.
        gpu: where it runs; ``None`` for the processor.
    """

    def __init__(self, entry: CatalogueEntry, folder: Path, threads: int, gpu: OnGpu | None = None) -> None:
        self._entry = entry
        self._folder = folder
        self._threads = threads
        self._gpu = gpu
        self._lock = threading.Lock()
        self._process: ModelProcess | None = None
        self._closed = False

    @property
    def kind(self) -> Kind:
        """What the model does."""
        return self._entry.kind

    @property
    def pid(self) -> int | None:
        """The id of the process with the model in it, or ``None`` while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive else None

    def start(self) -> None:
        """Load the model and wait until it is ready.

        Raises:
            ModelCorrupt, EngineMissing, ModelError: it cannot be loaded.
            ModelCrashed, ModelHung: its process died of loading it, or did not finish.
        """
        self._ready_process()

    def run(self, inputs: list[str], timeout: float | None, stop: "Future[None] | None" = None) -> Rows:
        """Run the model on texts and return one float32 row for each: shape ``(texts, width)``.

        Any number of threads may run it at once: requests that wait together run as one batch. If the process is
        gone, a new one is started first.

        Args:
            inputs: the texts.
            timeout: seconds to wait for the answer, behind others' requests if need be; loading does not count.
            stop: ends when nobody wants the answer any more. Texts that wait are then not begun; what runs with others
                ends its step and is dropped.

        Raises:
            Cancelled: ``stop`` has ended first.
            BadInput: the model cannot take one of the texts.
            ModelHung: no answer came in time, and the process was killed.
            ModelCrashed: the process ended, or was ended, before it answered.
            ModelError: the model failed, and goes on to the next request.
        """
        process = self._ready_process()
        return cast("Rows", self._await(process, process.ask(inputs), Lease(timeout), stop))

    def generate(
        self,
        prompt: Prompt,
        timeout: float | None,
        stop: "Future[None] | None" = None,
        on_piece: Callable[[str], None] = lambda _: None,
    ) -> Generated:
        """Let the model go on from a prompt, and return the text.

        Several may be under way at once; each makes a token in its turn. If the process is gone, a new one is started
        first.

        Args:
            prompt: what the text is to go on from, and how.
            timeout: seconds to wait for the first step, and from each to the next; loading does not count.
            stop: ends when nobody wants the text any more; it then ends within one step of the model's.
            on_piece: is handed what each step adds to the text, which may be nothing; has to be quick, and not to
                raise.

        Raises:
            Cancelled, BadInput, ModelHung, ModelCrashed, ModelError: as :meth:`run` does.
        """
        process, lease = self._ready_process(), Lease(timeout)

        def hear(piece: str) -> None:
            lease.extend()
            on_piece(piece)

        return cast("Generated", self._await(process, process.ask(prompt, hear), lease, stop))

    def compute(
        self, arrays: Mapping[str, NDArray[Any]], timeout: float | None, stop: "Future[None] | None" = None
    ) -> Arrays:
        """Run the model on named arrays, and return those that it gives, by their names.

        Requests that wait together run one after the other. If the process is gone, a new one is started first.

        Args:
            arrays: the model's inputs.
            timeout: seconds to wait for the answer, behind others' requests if need be; loading does not count.
            stop: ends when nobody wants the answer any more. It is then not begun, or ends before its next node.

        Raises:
            BadInput: the model cannot take the arrays; the message says what it takes.
            Cancelled, ModelHung, ModelCrashed, ModelError: as :meth:`run` does.
        """
        sent = {name: _sendable(name, array) for name, array in arrays.items()}
        process = self._ready_process()
        return cast("Arrays", self._await(process, process.ask(sent), Lease(timeout), stop))

    def close(self) -> None:
        """End the process. What runs ends as ModelCrashed. Closing twice is harmless."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.end(f"The model {self._entry.name} was closed while it ran.")
            process.join(_END_SECONDS)

    def _ready_process(self) -> ModelProcess:
        with self._lock:
            if self._closed:
                raise ModelError(f"The host of the model {self._entry.name} is closed. Make a new one.")
            process = self._process = self._living_process()
        self._await(process, process.loaded, Lease(LOAD_SECONDS))
        return process

    def _living_process(self) -> ModelProcess:
        if self._process is not None:
            if self._process.is_alive:
                return self._process
            # The memory may not hold two of the model.
            self._process.join(_END_SECONDS)
        return ModelProcess(self._entry, self._folder, self._threads, self._gpu)

    def _await(
        self, process: ModelProcess, answer: "Future[Made]", lease: Lease, stop: "Future[None] | None" = None
    ) -> Made:
        either: list[Future[Any]] = [answer] if stop is None else [answer, stop]
        while not wait(either, lease.left(), FIRST_COMPLETED).done and not lease.is_over():
            pass
        name = self._entry.name
        if answer.done():
            return answer.result()
        if stop is not None and stop.done():
            process.withdraw(answer)
            raise Cancelled(f"A task was cancelled while the model {name} ran it.")
        late = f"The model {name} gave no answer within {lease.seconds:g} s."
        if process.has_answered_since(lease.since):  # others, whose work is not to be lost with this
            process.withdraw(answer)
            raise ModelHung(late)
        process.end(f"The process of the model {name} was ended: a request beside yours got no answer in time.")
        raise ModelHung(f"{late} The next run starts a new process.")


def _sendable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    try:
        return sendable(array)
    except BadInput as error:
        raise BadInput(f"The input {name[:80]!r}: {error}") from error
