"""A job: one task as its submitter sees it."""

import asyncio
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput, Cancelled, Expired, FailedOnDevice, TaskError, TimedOut, UnknownModel
from starai.tensor import unpack
from starai.wire import FINAL, Reason, Report, State, Tensor

Vector = NDArray[np.float32]

# After its deadline a task gets this long for the news of its end to arrive.
_GRACE = 5.0

_FAILURES: dict[Reason, type[TaskError]] = {
    Reason.BAD_INPUT: BadInput,
    Reason.UNKNOWN_MODEL: UnknownModel,
    Reason.DEVICE: FailedOnDevice,
}


class Job:
    """A task that was submitted.

    Attributes:
        id: the task's id, the same everywhere in the network.
        model: the model, or tier, that was asked for.
        submitted: seconds on ``time.monotonic()`` when it was handed over; ``answered`` when its end arrived.
        reports: what the network said of it so far, in the order of arrival, up to its end.
    """

    def __init__(self, task: str, model: str, deadline: float, rows: tuple[int, ...] = ()) -> None:
        self.id = task
        self.model = model
        self.submitted = time.monotonic()
        self.answered: float | None = None
        self.reports: list[Report] = []
        self._expires = self.submitted + deadline
        self._rows = rows
        self._outcome: Future[Any] = Future()

    @property
    def done(self) -> bool:
        """Whether the task has ended, well or badly."""
        return self._outcome.done()

    def result(self, timeout: float | None = None) -> Vector:
        """Wait for the result: float32, ``(n,)`` for one text and ``(texts, n)`` for a list of them.

        Asking again gives the same result. Without a timeout the wait ends at the task's deadline.

        Raises:
            TimedOut: it is not there after ``timeout`` seconds; the task goes on, ask again later.
            BadInput, UnknownModel, Rejected, Expired, Cancelled, FailedOnDevice: how it ended.
        """
        left = max(self._expires - time.monotonic(), 0) + _GRACE
        with suppress(TimeoutError):
            self._outcome.exception(left if timeout is None else min(timeout, left))
        if not self.done:
            raise self._silence(timeout, left)
        vectors: Vector = self._outcome.result()
        return vectors

    async def wait(self) -> Vector:
        """Do as :meth:`result` does, in asyncio; ``await job`` is the same. Use ``asyncio.timeout`` to wait less long.

        The task goes on when the waiting is cancelled, and any number may wait for it.
        """
        left = max(self._expires - time.monotonic(), 0) + _GRACE
        await ended(self._outcome, left)
        if not self.done:
            raise self._silence(None, left)
        vectors: Vector = self._outcome.result()
        return vectors

    def __await__(self) -> Generator[Any, None, Vector]:
        return self.wait().__await__()

    def _silence(self, timeout: float | None, left: float) -> TaskError:
        if timeout is not None and timeout < left:
            return TimedOut(f"Task {self.id} has no result after {timeout:g} s. It goes on: ask again.", self.id)
        return Expired(f"Task {self.id} did not end before its deadline, and nobody said why.", self.id)

    def add_done_callback(self, function: Callable[["Job"], object]) -> None:
        """Call ``function(job)`` once the task has ended, on the client's own thread; it must not block."""
        self._outcome.add_done_callback(lambda _: function(self))

    def receive(self, report: Report) -> None:
        """Take in one state. The first final one counts; what comes later is dropped."""
        if self.done:
            return
        self.reports.append(report)
        if report.state in FINAL:
            self.answered = time.monotonic()
            self._end(report)

    def _end(self, report: Report) -> None:
        if report.state is State.SUCCEEDED and report.output is not None:
            try:
                self._outcome.set_result(self._vectors(report.output))
            except BadInput as error:
                self.fail(FailedOnDevice(f"Device {report.device} sent a broken result: {error}", self.id))
        else:
            self.fail(error_of(report))

    def _vectors(self, output: Tensor) -> Vector:
        vectors = unpack(output)
        if vectors.dtype != np.float32 or vectors.ndim != len(self._rows) + 1 or vectors.shape[:-1] != self._rows:
            raise BadInput(f"{vectors.dtype} of shape {vectors.shape} is no answer to inputs of shape {self._rows}.")
        return vectors

    def fail(self, error: Exception) -> None:
        """End the task with an error, unless it has ended. For the client; harmless to others."""
        if not self.done:
            self._outcome.set_exception(error)


async def ended(future: "Future[Any]", timeout: float) -> None:
    """Wait in asyncio until another thread has ended the future, at most so many seconds; never cancel it."""
    here = asyncio.wrap_future(future)
    here.add_done_callback(lambda done: done.cancelled() or done.exception())  # or asyncio misses who asks for it
    await asyncio.wait([here], timeout=timeout)


def error_of(report: Report) -> TaskError:
    """Return the error that a task's end other than a result stands for."""
    if report.state is State.EXPIRED:
        return Expired(f"Task {report.task} was not begun before its deadline.", report.task)
    if report.state is State.CANCELLED:
        return Cancelled(f"Task {report.task} was cancelled.", report.task)
    if report.failure is None:
        return FailedOnDevice(f"Device {report.device} ended task {report.task} without a result.", report.task)
    return _FAILURES[report.failure.reason](report.failure.message, report.task)
