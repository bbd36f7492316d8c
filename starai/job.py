"""A job: one task as its submitter sees it."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from broker_config import names
from starai.asking import ended
from starai.errors import BadInput, Expired, FailedOnDevice, JobUnknown, NotPossible, StarAIError, TimedOut
from starai.outcome import error_of, error_of_status
from starai.request import OPEN, JobState, JobStatus
from starai.submission import DEADLINE
from starai.tensor import unpack
from starai.wire import FINAL, Report, State, Tensor

if TYPE_CHECKING:
    from starai.ledger import Ledger
    from starai.watch import Watch

Vector = NDArray[np.float32]

# After its deadline a task gets this long for the news of its end to arrive.
_GRACE = 5.0


class Job:
    """A task that was submitted, here or elsewhere.

    Attributes:
        id: the task's id, the same everywhere in the network.
        model: the model, or tier, that was asked for; of a job that was submitted elsewhere empty until its result
            was asked for.
        submitted: seconds on ``time.monotonic()`` when it was handed over; ``answered`` when its end arrived.
        reports: what the network said of it so far, in the order of arrival, up to its end.
    """

    def __init__(
        self,
        task: str,
        model: str = "",
        deadline: float | None = None,
        rows: tuple[int, ...] | None = None,
        watch: "Watch | None" = None,
    ) -> None:
        self.id = task
        self.model = model
        self.submitted = time.monotonic()
        self.answered: float | None = None
        self.reports: list[Report] = []
        self._expires = None if deadline is None else self.submitted + deadline
        self._rows = rows
        self._watch = watch
        self._outcome: Future[Any] = Future()

    @property
    def done(self) -> bool:
        """Whether the task has ended, well or badly."""
        return self._outcome.done()

    def result(self, timeout: float | None = None) -> Vector:
        """Wait for the result: float32, ``(n,)`` for one text and ``(texts, n)`` for a list of them.

        Asking again gives the same result. Without a timeout the wait ends at the task's deadline. Where no report
        of the end has arrived, the network's ledger is asked.

        Raises:
            TimedOut: it is not there after ``timeout`` seconds; the task goes on, ask again later.
            BadInput, UnknownModel, Rejected, Expired, Cancelled, FailedOnDevice: how it ended.
            JobUnknown, ResultGone: the network knows no such task, or does not keep its result any more.
            BrokerUnreachable, RegistryError: of a job that was submitted elsewhere: nobody answered, or not now.
        """
        if self._is_strange:
            self._find(self._ledger.end(self.id).get())
        left = self._left()
        with suppress(TimeoutError):
            self._outcome.exception(left if timeout is None else min(timeout, left))
        if not self.done and self._is_over(timeout, left):
            with suppress(StarAIError):
                self.learn(self._ledger.end(self.id).get())
        return self._end_of_wait(timeout, left)

    async def wait(self) -> Vector:
        """Do as :meth:`result` does, in asyncio; ``await job`` is the same. Use ``asyncio.timeout`` to wait less long.

        The task goes on when the waiting is cancelled, and any number may wait for it.
        """
        if self._is_strange:
            self._find(await self._ledger.end(self.id))
        left = self._left()
        await ended(self._outcome, left)
        if not self.done and self._is_over(None, left):
            with suppress(StarAIError):
                self.learn(await self._ledger.end(self.id))
        return self._end_of_wait(None, left)

    def __await__(self) -> Generator[Any, None, Vector]:
        return self.wait().__await__()

    def status(self) -> JobStatus:
        """Return what the network's ledger knows of the task, at once.

        Raises:
            JobUnknown: the ledger has no such task, or not yet.
            BrokerUnreachable, RegistryError: nobody answered, or the platform cannot say just now.
        """
        try:
            return self._ledger.status(self.id).get()
        except JobUnknown as error:
            return self._as_seen_here(error)

    async def astatus(self) -> JobStatus:
        """Do as :meth:`status` does, in asyncio."""
        try:
            return await self._ledger.status(self.id)
        except JobUnknown as error:
            return self._as_seen_here(error)

    def cancel(self) -> JobStatus:
        """Ask that the task does not start any more, or stops at its model's next step; return its status then.

        It ends as :class:`starai.errors.Cancelled` once the platform has said so.

        Raises:
            NotPossible: it has ended.
            BrokerUnreachable, RegistryError: nobody answered, or the platform cannot do it just now.
        """
        return self._ledger.cancel(self.id, self._own_target).get()

    async def acancel(self) -> JobStatus:
        """Do as :meth:`cancel` does, in asyncio."""
        return await self._ledger.cancel(self.id, self._own_target)

    def retry(self, deadline: float = DEADLINE) -> JobStatus:
        """Try a task again that failed or expired, with so many seconds to its new deadline; return its status then.

        Its result is asked for as before: the job is open again.

        Raises:
            NotPossible: it is open, or was not failed, or its input is not kept any more.
            JobUnknown, BrokerUnreachable, RegistryError: as :meth:`status` says.
        """
        return self._open_again(self._ledger.retry(self.id, deadline).get())

    async def aretry(self, deadline: float = DEADLINE) -> JobStatus:
        """Do as :meth:`retry` does, in asyncio."""
        return self._open_again(await self._ledger.retry(self.id, deadline))

    @property
    def _ledger(self) -> "Ledger":
        if self._watch is None:
            raise NotPossible(f"Task {self.id} belongs to no client that could ask about it.", self.id)
        return self._watch.ledger

    @property
    def _is_strange(self) -> bool:
        """Whether it was submitted elsewhere, and nothing is known of it yet."""
        return self._expires is None and not self.done

    @property
    def _own_target(self) -> str | None:
        return None if self._rows is None else names.wire_name(self.model)

    def _left(self) -> float:
        return max((self._expires or 0) - time.monotonic(), 0) + _GRACE

    def _is_over(self, timeout: float | None, left: float) -> bool:
        return self._watch is not None and (timeout is None or timeout >= left)

    def _end_of_wait(self, timeout: float | None, left: float) -> Vector:
        if self.done:
            vectors: Vector = self._outcome.result()
            return vectors
        if timeout is not None and timeout < left:
            raise TimedOut(f"Task {self.id} has no result after {timeout:g} s. It goes on: ask again.", self.id)
        raise Expired(f"Task {self.id} did not end before its deadline, and nobody said why.", self.id)

    def _as_seen_here(self, error: JobUnknown) -> JobStatus:
        """Return what this client knows of a task of its own that the ledger does not know yet."""
        if self._rows is None:
            raise error
        last = self.reports[-1] if self.reports else None
        since = timedelta(seconds=time.monotonic() - self.submitted)
        return JobStatus(
            id=self.id,
            state=JobState(last.state) if last and last.state is not State.REQUEUED else JobState.QUEUED,
            submitted_at=datetime.now(UTC) - since,
            target=names.wire_name(self.model),
            device=last.device if last else None,
        )

    def _find(self, answer: Report | JobStatus) -> None:
        """Take in what the ledger says of a task that was submitted elsewhere, and watch it where it is open."""
        self.learn(answer)
        if isinstance(answer, JobStatus) and not self.done:
            self.model = answer.target or ""
            until = answer.expires_at or answer.submitted_at + timedelta(seconds=DEADLINE)
            self._follow((until - datetime.now(UTC)).total_seconds())

    def _open_again(self, status: JobStatus) -> JobStatus:
        self._outcome, self.reports, self.answered = Future(), [], None
        self._find(status)
        return status

    def _follow(self, deadline: float) -> None:
        self._expires = time.monotonic() + deadline
        if self._watch:
            self._watch.add([self])

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

    def learn(self, answer: Report | JobStatus) -> None:
        """Take in what the ledger says of the task: how it ended, unless it is open."""
        if isinstance(answer, Report):
            self.receive(answer)
        elif answer.state not in OPEN:
            self.fail(error_of_status(answer))

    def _end(self, report: Report) -> None:
        if report.state is State.SUCCEEDED and report.output is not None:
            try:
                vectors = self._vectors(report.output)
            except BadInput as error:
                self.fail(FailedOnDevice(f"Device {report.device} sent a broken result: {error}", self.id))
            else:
                with suppress(InvalidStateError):  # a report came while the ledger was asked
                    self._outcome.set_result(vectors)
        else:
            self.fail(error_of(report))

    def _vectors(self, output: Tensor) -> Vector:
        vectors = unpack(output)
        # Of a task that was submitted elsewhere it is not known whether it was one text or a list.
        rows = vectors.shape[:-1] if self._rows is None else self._rows
        if vectors.dtype != np.float32 or vectors.ndim != len(rows) + 1 or vectors.shape[:-1] != rows:
            raise BadInput(f"{vectors.dtype} of shape {vectors.shape} is no answer to inputs of shape {rows}.")
        return vectors

    def fail(self, error: Exception) -> None:
        """End the task with an error, unless it has ended. For the client; harmless to others."""
        with suppress(InvalidStateError):
            self._outcome.set_exception(error)
