"""The beginnings of tasks, told only of those that go on for a while.

Most tasks end within milliseconds, and their end tells when they began. A message about the beginning of each would
cost the device, the broker and the submitter much of what a short task costs them.
"""

import logging
import threading
import time

from broker_config.publication import Publication
from starai.errors import BrokerError
from worker.questions import Way

log = logging.getLogger(__name__)

#: Seconds after which a task that has not ended is said to have begun.
TOLD_AFTER = 0.02
# Seconds that a task waits for the broker to know that it begins, where that matters.
_KNOWN_WITHIN = 2.0


class Beginnings:
    """Holds what is to be said of tasks that run; :meth:`tell` is called every ``TOLD_AFTER`` seconds or so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._untold: dict[str, tuple[float, Publication]] = {}

    def add(self, run: str, publication: Publication) -> None:
        """A run has begun, now."""
        with self._lock:
            self._untold[run] = (time.monotonic() + TOLD_AFTER, publication)

    def drop(self, run: str) -> None:
        """A run is about to end: its beginning is told by now, or never."""
        with self._lock:  # or the beginning could follow the end
            self._untold.pop(run, None)

    def tell(self, link: Way) -> None:
        """Publish what is due. What a closed link does not take is told by the task's end."""
        with self._lock:
            now = time.monotonic()
            for run in [run for run, (due, _) in self._untold.items() if due <= now]:
                try:
                    link.publish(self._untold.pop(run)[1])
                except BrokerError as error:
                    log.warning("task.beginning_untold", extra={"run": run, "reason": str(error)})


def tell_first(link: Way, beginning: Publication) -> None:
    """Publish what is to be known even if the task ends this device, and wait until the broker has it, or for 2 s."""
    try:
        link.publish(beginning)
        beginning.confirmed.result(_KNOWN_WITHIN)
    except (TimeoutError, BrokerError) as error:
        log.warning("task.beginning_untold", extra={"reason": str(error) or "the broker did not take it in time"})
