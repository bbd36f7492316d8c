"""A figure that is read on a thread of its own, so that one that hangs or fails keeps nobody from the others."""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

#: Seconds for which a figure that is being read stands as it was before; then it counts as lost.
PATIENCE = 30.0

T = TypeVar("T")


class Gauge(Generic[T]):
    """One figure. Any thread may use it.

    Args:
        name: for the log.
        read: reads it.
        lost: returns what stands for it where it could not be read, given what it was last, if it ever was.
        every: seconds for which a figure that was read is good.
    """

    def __init__(self, name: str, read: Callable[[], T], lost: Callable[[T | None], T], every: float = 0.0) -> None:
        self._name = name
        self._read = read
        self._lost = lost
        self._every = every
        self._lock = threading.Lock()
        self._value: T | None = None
        self._ended = threading.Event()
        self._ended.set()
        self._began_at = -math.inf
        self._failure: str | None = None

    def begin(self) -> None:
        """Begin to read it, unless that is under way or what was read is good."""
        with self._lock:
            now = time.monotonic()
            if not self._ended.is_set() or now - self._began_at < self._every:
                return
            self._began_at = now
            self._ended.clear()
        threading.Thread(target=self._run, name=f"gauge {self._name}", daemon=True).start()

    def value(self, until: float) -> T:
        """Return the figure, waiting for it until that time of the monotonic clock; then what stands for it."""
        if self._ended.wait(max(until - time.monotonic(), 0.0)):
            return self._lost(self._value) if self._value is None or self._failure else self._value
        is_late = time.monotonic() - self._began_at > PATIENCE
        return self._lost(self._value) if self._value is None or is_late else self._value

    def _run(self) -> None:
        failure = None
        try:
            self._value = self._read()
        except Exception as error:  # noqa: BLE001 - the edge: what drivers and systems raise has no common base
            failure = f"{type(error).__name__}: {error}"
            if failure != self._failure:
                log.warning("reading.failed", extra={"reading": self._name, "reason": failure})
        self._failure = failure
        self._ended.set()
