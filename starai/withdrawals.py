"""Tells the platform which tasks a full queue refused: the broker gave the ledger its copy all the same."""

import threading
from functools import partial

from broker_config.link import Link
from starai.asking import Asked
from starai.errors import BrokerError, StarAIError
from starai.ledger import Ledger
from starai.request import MOST_JOBS, Withdrawn

# Those that are refused together are told together; what the platform could not take is told again.
_TOLD_AFTER, _AGAIN_AFTER = 0.05, 1.0


class Withdrawals:
    """What one client withdraws."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._tasks: list[str] = []

    def connected(self, link: Link) -> None:
        """Tell over this link from now on. Call it on the link's thread."""
        self._link = link
        self.send()

    def add(self, task: str) -> None:
        """Withdraw a task soon. Call it on the link's thread."""
        self._add([task], _TOLD_AFTER)

    def send(self) -> None:
        """Withdraw now what is to be withdrawn."""
        with self._lock:
            tasks, self._tasks = self._tasks, []
        for start in range(0, len(tasks), MOST_JOBS):
            some = tasks[start : start + MOST_JOBS]
            try:
                self._ledger.withdraw(some).then(partial(self._on_answer, some))
            except BrokerError:  # the client is closed, and the broker was not there
                return

    def _add(self, tasks: list[str], soon: float) -> None:
        with self._lock:
            is_due = bool(self._tasks)
            self._tasks += tasks
        if self._link and not is_due:
            self._link.call_later(soon, self.send)

    def _on_answer(self, tasks: list[str], told: Asked[Withdrawn]) -> None:
        try:
            told.get()
        except BrokerError:  # the client was closed first
            return
        except StarAIError:
            self._add(tasks, _AGAIN_AFTER)
