"""What was said a short while ago: not to be said again before the ledger can have heard it."""

import time
from collections.abc import Callable, Hashable

#: Seconds after which it is said again where the ledger still does not have it.
AGAIN = 60.0


class Told:
    """Remembers for a time what was said.

    Args:
        seconds: for how long.
        clock: tells the time in seconds.
    """

    def __init__(self, seconds: float = AGAIN, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: dict[Hashable, float] = {}

    def __contains__(self, what: Hashable) -> bool:
        return self._until.get(what, 0.0) > self._clock()

    def add(self, what: Hashable) -> None:
        """Remember it from now on."""
        now = self._clock()
        self._until = {known: until for known, until in self._until.items() if until > now} | {
            what: now + self._seconds
        }
