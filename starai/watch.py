"""Watches jobs of which no report may come any more, by asking the ledger with growing pauses."""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from broker_config.errors import BrokerError
from broker_config.link import Link
from starai.asking import Asked
from starai.errors import RegistryError, StarAIError, TaskError
from starai.job import Job
from starai.ledger import Ledger
from starai.request import MOST_JOBS, JobList, JobStatus
from starai.wire import Report

_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.05, 1.6, 5.0
# So many results at once: each may have megabytes.
_RESULTS_AT_ONCE = 50


class Watch:
    """Asks the ledger about some of a client's open jobs until they have ended.

    Args:
        ledger: whom to ask.
        jobs: the client's open jobs by their ids; what is not in there any more is watched no longer.

    Attributes:
        ledger: the same.
    """

    def __init__(self, ledger: Ledger, jobs: dict[str, Job]) -> None:
        self.ledger = ledger
        self._jobs = jobs
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._watched: set[str] = set()
        self._pause = _FIRST_PAUSE
        self._due = 0.0
        self._turn = 0

    def add(self, jobs: Iterable[Job]) -> None:
        """Watch these as well, beginning soon."""
        for job in jobs:
            self._jobs[job.id] = job
            with self._lock:
                self._watched.add(job.id)
        if self._link:
            self._link.call_soon(self._hasten)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Run a function on the client's own thread soon; it is dropped while there is no connection."""
        if self._link:
            self._link.call_soon(function)

    def connected(self, link: Link) -> None:
        """Go on over a new connection, after another one with all open jobs. Call it on the link's thread."""
        if self._link:
            with self._lock:
                self._watched.update(self._jobs)
        self._link, self._due = link, 0.0  # what was due went with the old connection
        self._hasten()

    # From here on, everything runs on the link's thread.

    def _hasten(self) -> None:
        self._pause = _FIRST_PAUSE
        if not time.monotonic() < self._due <= time.monotonic() + _FIRST_PAUSE:
            self._schedule()

    def _schedule(self) -> None:
        """Look after the pause, in place of any look that was due."""
        self._turn += 1
        self._due = 0.0
        if self._watched and self._link:
            self._due = time.monotonic() + self._pause
            self._link.call_later(self._pause, partial(self._look, self._turn))

    def _look(self, turn: int) -> None:
        if turn != self._turn:
            return
        with self._lock:
            self._watched = {task for task in self._watched if task in self._jobs}
            tasks = list(self._watched)
        try:
            for start in range(0, len(tasks), MOST_JOBS):
                self.ledger.ended(tasks[start : start + MOST_JOBS]).then(self._fetch)
        except BrokerError:  # the client is being closed, which ends its jobs
            return
        self._pause = min(self._pause * _GROWTH, _LONGEST_PAUSE)
        self._schedule()

    def _fetch(self, found: Asked[JobList]) -> None:
        try:
            for status in found.get().jobs[:_RESULTS_AT_ONCE]:
                self.ledger.end(status.id).then(partial(self._tell, status.id))
                self._hasten()
        except (BrokerError, RegistryError):  # nobody answers now; the next look asks again
            return

    def _tell(self, task: str, end: Asked[Report | JobStatus]) -> None:
        job = self._jobs.get(task)
        if job is None:
            return
        try:
            job.learn(end.get())
        except TaskError as error:
            job.fail(error)
        except StarAIError:  # nobody answers now; the next look asks again
            return
        if job.done:
            self._jobs.pop(task, None)
