"""How fast the recorder is, told from time to time while it has something to do."""

import time
from collections.abc import Callable

_EVERY = 10.0


class Pace:
    """Counts messages over some seconds; :meth:`add` returns what to tell when those are over, else nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = self._last = clock()
        self._messages = 0
        self._lag = 0.0

    def add(self, messages: int, lag: float) -> dict[str, object] | None:
        """Count a batch whose oldest message had to wait for so many seconds in this process.

        Returns how many messages there were, how many a second, and the longest wait.
        """
        now = self._clock()
        if now - self._last > _EVERY:  # there was nothing to do meanwhile
            self._since, self._messages, self._lag = now, 0, 0.0
        self._last = now
        self._messages += messages
        self._lag = max(self._lag, lag)
        seconds = now - self._since
        if seconds < _EVERY:
            return None
        told: dict[str, object] = {
            "messages": self._messages,
            "per_second": round(self._messages / seconds),
            "lag": round(self._lag, 3),
        }
        self._since, self._messages, self._lag = now, 0, 0.0
        return told
