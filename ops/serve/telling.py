"""Which refusal an error is answered with, and what the log has of it."""

import logging

from ops.serve.refusal import Refusal, failed, refusal_of
from starai.errors import StarAIError, TaskError

log = logging.getLogger(__name__)


def told(error: Exception) -> Refusal:
    """Return the refusal, and log what the client is not told.

    What became of a task is not logged: a device may have written there what the task was about.
    """
    if isinstance(error, Refusal):
        return error
    if not isinstance(error, StarAIError):
        log.error("serve.failed", exc_info=error)
        return failed()
    if not isinstance(error, TaskError):
        log.warning("serve.refused", extra={"error": type(error).__name__, "reason": str(error)})
    return refusal_of(error)
