"""A job: one task as its submitter sees it."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from broker_config import names
from starai.answer import Answer, Expected
from starai.asking import ended
from starai.errors import BadInput, Expired, FailedOnDevice, JobUnknown, NotPossible, StarAIError, TimedOut
from starai.outcome import error_of, error_of_status
from starai.patience import Patience
from starai.reading import Reading
from starai.request import OPEN, JobState, JobStatus
from starai.submission import DEADLINE
from starai.wire import FINAL, Output, Report, State

if TYPE_CHECKING:
    from starai.ledger import Ledger
    from starai.watch import Watch

# What is kept of what the network says of one task: a device may say as much as it likes.
_MOST_REPORTS = 1000
_RUNS = frozenset({State.STARTED, State.PIECE, State.PROGRESS})


class Job:
    """A task that was submitted, here or elsewhere.

    Attributes:
        id: the task's id, the same everywhere in the network.
        model: the model, or tier, that was asked for; of a job that was submitted elsewhere empty until its result
            was asked for.
        submitted: seconds on ``time.monotonic()`` when it was handed over; ``answered`` when its end arrived.
        reports: what the network said of it so far, in the order of arrival, up to its end, but for pieces of a text
            and signs of life.
        reading: its text as it comes in, where its submitter wants to read along.
        on_news: called on the client's own thread when something was said of it; must not block.
    """

    def __init__(
        self,
        task: str,
        model: str = "",
        deadline: float | None = None,
        expected: Expected | None = None,
        watch: "Watch | None" = None,
    ) -> None:
        self.id = task
        self.model = model
        self.submitted = time.monotonic()
        self.answered: float | None = None
        self.reports: list[Report] = []
        self.reading: Reading | None = None
        self.on_news: Callable[[], object] = lambda: None
        self._patience = Patience(deadline)
        self._expected = expected
        self._watch = watch
        self._outcome: Future[Any] = Future()

    @property
    def done(self) -> bool:
        """Whether the task has ended, well or badly."""
        return self._outcome.done()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result, which is as its model makes it.

        Of a model that embeds: float32, ``(n,)`` for one text and ``(texts, n)`` for a list of them. Of a language
        model: a :class:`starai.Generated`. Of one that takes named arrays: a dict of arrays.

        Asking again gives the same result. Without a timeout the wait ends at the task's deadline, or when a text that
        is being generated then shows no life any more. Where no report of the end has arrived, the network's ledger is
        asked.

        Raises:
            TimedOut: it is not there after ``timeout`` seconds; the task goes on, ask again later.
            BadInput, UnknownModel, Rejected, Expired, Cancelled, FailedOnDevice: how it ended.
            JobUnknown, ResultGone: the network knows no such task, or does not keep its result any more.
            BrokerUnreachable, RegistryError: of a job that was submitted elsewhere: nobody answered, or not now.
        """
        if self._is_strange:
            self._find(self._ledger.end(self.id).get())
        begun = time.monotonic()
        for seconds in self.waits(timeout):
            with suppress(TimeoutError):
                self._outcome.exception(seconds)
        if self._is_overdue(begun) and self._watch:
            with suppress(StarAIError):
                self.learn(self._ledger.end(self.id).get())
        return self._end_of_wait(timeout, begun)

    async def wait(self) -> Any:
        """Do as :meth:`result` does, in asyncio; ``await job`` is the same. Use ``asyncio.timeout`` to wait less long.

        The task goes on when the waiting is cancelled, and any number may wait for it.
        """
        if self._is_strange:
            self._find(await self._ledger.end(self.id))
        begun = time.monotonic()
        for seconds in self.waits(None):
            await ended(self._outcome, seconds)
        if self._is_overdue(begun) and self._watch:
            with suppress(StarAIError):
                self.learn(await self._ledger.end(self.id))
        return self._end_of_wait(None, begun)

    def waits(self, timeout: float | None) -> Iterator[float]:
        """Give the seconds to wait next, until the task has ended, the time is over, or nothing is to be expected."""
        return self._patience.waits(lambda: self.done, timeout)

    def __await__(self) -> Generator[Any, None, Any]:
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

    def give_up(self) -> None:
        """Do as :meth:`cancel` does, and wait for nothing: the platform hears it, even if it is not there now.

        Raises:
            BrokerUnreachable, BrokerRefused: the client is closed, or was cut off.
        """
        self._ledger.give_up(self.id, self._own_target)

    def give_up_soon(self) -> None:
        """Do the same from whatever thread, in whatever state: the garbage collector's may hold any lock."""
        if self._watch and not self.done:
            self._watch.call_soon(self._given_up)

    def _given_up(self) -> None:
        with suppress(StarAIError):  # the client is closed
            self.give_up()

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
        return not self._patience.is_set and not self.done

    @property
    def _own_target(self) -> str | None:
        return None if self._expected is None else names.wire_name(self.model)

    def _is_overdue(self, begun: float) -> bool:
        return not self.done and self._patience.is_over(begun)

    def _end_of_wait(self, timeout: float | None, begun: float) -> Any:
        if self.done:
            return self._outcome.result()
        if timeout is not None and not self._is_overdue(begun):
            raise TimedOut(f"Task {self.id} has no result after {timeout:g} s. It goes on: ask again.", self.id)
        raise Expired(f"Task {self.id} did not end before its deadline, and nobody said why.", self.id)

    def _as_seen_here(self, error: JobUnknown) -> JobStatus:
        """Return what this client knows of a task of its own that the ledger does not know yet."""
        if self._expected is None:
            raise error
        last = self.reports[-1] if self.reports else None
        since = timedelta(seconds=time.monotonic() - self.submitted)
        return JobStatus(
            id=self.id,
            state=_state_after(last),
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
        self._patience.set(deadline)
        if self._watch:
            self._watch.add([self])

    def add_done_callback(self, function: Callable[["Job"], object]) -> None:
        """Call ``function(job)`` once the task has ended, on the client's own thread; it must not block."""
        self._outcome.add_done_callback(lambda _: function(self))

    def receive(self, report: Report) -> None:
        """Take in one state. The first final one counts; what comes later is dropped."""
        if self.done:
            return
        if report.state in _RUNS:
            self._patience.goes_on()
        if report.state in FINAL:
            self.reports.append(report)
            self.answered = time.monotonic()
            self._end(report)
        elif report.state in (State.PIECE, State.PROGRESS):
            self._read(report)
        elif len(self.reports) < _MOST_REPORTS:
            self.reports.append(report)
        self.on_news()

    def learn(self, answer: Report | JobStatus) -> None:
        """Take in what the ledger says of the task: how it ended, unless it is open."""
        if isinstance(answer, Report):
            self.receive(answer)
        elif answer.state not in OPEN:
            self.fail(error_of_status(answer))

    def _read(self, report: Report) -> None:
        if self.reading and report.run and report.text is not None and report.offset is not None:
            self.reading.hear(report.run, report.offset, report.text)

    def _end(self, report: Report) -> None:
        if report.state is State.SUCCEEDED and report.output is not None:
            try:
                answer = self._answer(report.output)
            except BadInput as error:
                self.fail(FailedOnDevice(f"Device {report.device} sent a broken result: {error}", self.id))
            else:
                with suppress(InvalidStateError):  # a report came while the ledger was asked
                    self._outcome.set_result(answer)
        else:
            self.fail(error_of(report))

    def _answer(self, output: Output) -> Answer:
        # Of a task that was submitted elsewhere it is not known what it asked.
        return (self._expected or Expected()).answer(output)

    def fail(self, error: Exception) -> None:
        """End the task with an error, unless it has ended. For the client; harmless to others."""
        with suppress(InvalidStateError):
            self._outcome.set_exception(error)
        self.on_news()


def _state_after(last: Report | None) -> JobState:
    if last is None or last.state is State.REQUEUED:
        return JobState.QUEUED
    return JobState.STARTED if last.state in _RUNS else JobState(last.state)
