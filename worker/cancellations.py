"""Cancelled tasks: those that are never begun here, and those that are stopped."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from starai.errors import Cancelled
from tasks.cancellation_message import MOST_CANCELLED, Cancellation
from tasks.message import Task

# How many are remembered; the oldest are forgotten first.
_KEPT = 2 * MOST_CANCELLED

_Key = tuple[str, str]


class Cancellations:
    """What the platform said was cancelled, and what runs here. Any thread may use it.

    Args:
        now: returns the time that tasks expire by.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._until: OrderedDict[_Key, float] = OrderedDict()
        self._running: dict[Future[None], _Key] = {}

    def add(self, cancelled: Iterable[Cancellation]) -> None:
        """Let none of these tasks begin until it expires, and stop those that run."""
        with self._lock:
            for submitter, task, expires in cancelled:
                self._until[submitter, task] = expires
                self._until.move_to_end((submitter, task))
            while len(self._until) > _KEPT:
                self._until.popitem(last=False)
            stopped = [stop for stop, key in self._running.items() if key in self._until and not stop.done()]
        for stop in stopped:
            stop.set_result(None)

    @contextmanager
    def running(self, task: Task) -> Iterator["Future[None]"]:
        """Give, while the task runs, the future that ends when it is cancelled.

        Raises:
            Cancelled: it is already.
        """
        key, stop = (task.submitter, task.id), Future[None]()
        with self._lock:
            if self._until.get(key, 0.0) > self._now():
                raise Cancelled(f"Task {task.id} was cancelled.", task.id)
            self._running[stop] = key
        try:
            yield stop
        finally:
            with self._lock:
                del self._running[stop]
