"""What is to become of a task's message, once it is known whether the broker has the report of the task's end."""

import logging
import time
from concurrent.futures import Future
from enum import Enum

from starai.errors import PublishRejected
from tasks.message import Task

log = logging.getLogger(__name__)


class Verdict(Enum):
    """What is to become of a task's message."""

    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"


def verdict_on(task: Task, began: float, confirmed: "Future[None]") -> Verdict:
    """Return the verdict on a task that began then, by the monotonic clock, from what the broker said of its report."""
    event = {"task": task.id, "ms": round(1000 * (time.monotonic() - began), 1)}
    error = None if confirmed.cancelled() else confirmed.exception()
    if isinstance(error, PublishRejected):
        # Whoever lets its own reply queue fill up must not cost devices their time.
        log.warning("task.unwanted", extra={**event, "reason": str(error)})
    elif error or confirmed.cancelled():
        log.warning("task.unreported", extra={**event, "reason": str(error or "no confirmation in time")})
        return Verdict.RETURN
    log.info("task.ended", extra=event)
    return Verdict.ACKNOWLEDGE
