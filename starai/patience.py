"""For how long it makes sense to wait for a task."""

import math
import time
from collections.abc import Callable, Iterator

# After its deadline a task gets this long for the news of its end to arrive.
_GRACE = 5.0
# A sign that it goes on gives it so much more: no less than the time from one such sign to the next.
_GOES_ON = 60.0


class Patience:
    """Ends some time after the task's deadline, or after the last sign that the task goes on.

    Args:
        deadline: seconds from now; ``None`` where it is not known yet.
    """

    def __init__(self, deadline: float | None) -> None:
        self._expires: float | None = None
        if deadline is not None:
            self.set(deadline)

    @property
    def is_set(self) -> bool:
        """Whether the deadline is known."""
        return self._expires is not None

    def set(self, deadline: float) -> None:
        """The deadline is so many seconds from now."""
        self._expires = time.monotonic() + deadline

    def goes_on(self) -> None:
        """The task goes on, as was said just now."""
        if self._expires is not None:
            self._expires = max(self._expires, time.monotonic() + _GOES_ON)

    def waits(self, is_done: Callable[[], bool], timeout: float | None) -> Iterator[float]:
        """Give the seconds to wait next, until it is done, the time is over, or nothing is to be expected."""
        begun = time.monotonic()
        until = math.inf if timeout is None else begun + timeout
        while not is_done() and (left := min(self._until(begun), until) - time.monotonic()) > 0:
            yield left

    def is_over(self, begun: float) -> bool:
        """Tell whether who began to wait then has nothing to expect any more."""
        return time.monotonic() >= self._until(begun)

    def _until(self, begun: float) -> float:
        return max(self._expires or 0.0, begun) + _GRACE
