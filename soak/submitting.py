"""Submits by the library, as anybody does, and writes down what was taken and what was told."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from soak.end import End, end_of
from soak.journal import Journal
from soak.load import LONGEST_DEADLINE, LONGEST_LEASE, Wish
from starai.client import Client
from starai.errors import Rejected, StarAIError
from starai.job import Job
from starai.request import ENDED

# Longer than the broker is away: a submission that the broker may or may not have taken could not be counted.
_TAKEN_WITHIN = 300.0
# Seconds after a deadline for the platform to say that it has passed; then the submitter asks.
_SILENCE = 10.0
_AGAIN = 2.0
_ANSWERED_WITHIN = 15.0
_LOOK = 0.2
_QUESTIONS = 8
#: Seconds after the last deadline until which an end is waited for.
PATIENCE = LONGEST_DEADLINE + LONGEST_LEASE + 60.0


class Submitting:
    """A client whose tasks are counted.

    Args:
        url: the broker's address, as the submitter.
        journal: where it counts.
        known: tasks of an earlier process of the same submitter, whose ends are still to be heard.
    """

    def __init__(self, url: str, journal: Journal, known: Iterable[str] = ()) -> None:
        self._client = Client(url, region="asia", timeout=_TAKEN_WITHIN)
        # As another process of the same submitter would ask, and not for as long.
        self._asker = Client(url, region="asia", timeout=_ANSWERED_WITHIN)
        self._journal = journal
        self._lock = threading.Lock()
        # By their ids: when each is to be asked for, on time.monotonic().
        self._open: dict[str, float] = {}
        self._cancels: list[tuple[float, Job]] = []
        for task in known:
            self._open[task] = time.monotonic()
        self._over = threading.Event()
        self._asking = threading.Thread(target=self._ask_on, name="asks", daemon=True)
        self._asking.start()

    def submit(self, wishes: Sequence[Wish]) -> None:
        """Submit these together; it waits until the broker has taken them."""
        asyncio.run(self._submit_all(wishes))

    def close(self) -> None:
        """Ask no more, and disconnect."""
        self._over.set()
        self._asking.join()
        self._asker.close()
        self._client.close()

    @property
    def open(self) -> int:
        """How many tasks have not ended, as far as was told."""
        return len(self._open)

    def _ask_on(self) -> None:
        """Cancel what is to be cancelled, and ask by their ids for tasks of which nothing was heard in time."""
        with ThreadPoolExecutor(_QUESTIONS) as questions:
            while not self._over.wait(_LOOK):
                now = time.monotonic()
                with self._lock:
                    cancels, self._cancels = _parted(self._cancels, now)
                    overdue = [task for task, at in self._open.items() if at <= now]
                list(questions.map(self._cancel, cancels))
                list(questions.map(self._ask, overdue))

    def _cancel(self, job: Job) -> None:
        try:
            job.cancel()
        except StarAIError as error:
            self._journal.note(f"cancel: {type(error).__name__}: {error}")

    def _ask(self, task: str) -> None:
        job = self._asker.job(task)
        with suppress(StarAIError):  # open, unknown yet, or the platform is away: asked again
            if job.status().state in ENDED:
                job.result(_SILENCE)
        end, detail = end_of(job)
        if end is End.OPEN:
            with self._lock:
                if task in self._open:
                    self._open[task] = time.monotonic() + _AGAIN
        else:
            self._end(task, end, detail, "ledger")

    async def _submit_all(self, wishes: Sequence[Wish]) -> None:
        await asyncio.gather(*map(self._submit, wishes))

    async def _submit(self, wish: Wish) -> None:
        try:
            job = await self._client.asubmit(
                wish.model, wish.inputs, region=wish.region, deadline=wish.deadline, lease=wish.lease
            )
        except Rejected as error:
            self._rejected(error, wish)
        else:
            self._taken(job, wish)

    def _taken(self, job: Job, wish: Wish) -> None:
        self._journal.submitted(job.id, model=wish.model, region=wish.region, inputs=str(wish.inputs)[:60])
        with self._lock:
            self._open[job.id] = time.monotonic() + wish.deadline + _SILENCE
            if wish.cancel_after is not None:
                self._cancels.append((time.monotonic() + wish.cancel_after, job))
        job.add_done_callback(self._told)

    def _rejected(self, error: Rejected, wish: Wish) -> None:
        self._journal.submitted(error.task or "", model=wish.model, region=wish.region)
        self._journal.ended(error.task or "", End.REJECTED, str(error), "reply")

    def _told(self, job: Job) -> None:
        end, detail = end_of(job)
        if end is End.OPEN:
            self._journal.note(f"{job.id}: {detail}")
        else:
            self._end(job.id, end, detail, "reply")

    def _end(self, task: str, end: End, detail: str, source: str) -> None:
        with self._lock:
            if self._open.pop(task, None) is not None:
                self._journal.ended(task, end, detail, source)


def _parted(cancels: list[tuple[float, Job]], now: float) -> tuple[list[Job], list[tuple[float, Job]]]:
    """Return what is to be cancelled now, and the rest."""
    return [job for at, job in cancels if at <= now], [(at, job) for at, job in cancels if at > now]
