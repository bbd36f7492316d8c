"""The time that deadlines are by: the platform's, as it was last told, whatever this machine's clock says.

A device whose clock goes an hour fast would else report every task as expired that it gets.
"""

import dataclasses
import time

from tasks.message import Task

# The platform tells whole seconds. A clock that is so near to them is right, and finer.
_NEAR = 2.0


class NetworkClock:
    """Any thread may use it. Between two times that it is told it runs by a clock that never jumps."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the clock that never jumps

    def tell(self, seconds: int) -> None:
        """Take in what time it is at the platform: whole seconds since 1970."""
        own = time.time()
        now = own if abs(seconds - own) <= _NEAR else seconds + 0.5
        self._ahead = now - time.monotonic()

    def now(self) -> float:
        """Return the network's time in seconds since 1970; before it was told, this machine's."""
        return time.time() if self._ahead is None else self._ahead + time.monotonic()

    def by_own_clock(self, task: Task) -> Task:
        """Return the task with its deadline as this machine's clock will show it."""
        if task.expires is None:
            return task
        return dataclasses.replace(task, expires=task.expires + time.time() - self.now())
