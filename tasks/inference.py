"""The inference task, as a device does it: what happens between a task's start and its end."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from starai.errors import BadInput, BrokerError, Cancelled, ModelError
from starai.wire import Failure, Reason, Report, State
from tasks.message import Task
from tasks.output import Model, Work, output_of
from tasks.pieces import Pieces

log = logging.getLogger(__name__)

#: Seconds that a task may run on one device without a sign of life, where its submitter asked for no other time.
LEASE = 60.0
#: How often a task is begun, on whatever devices, before it is given up.
ATTEMPTS = 3
_MESSAGE_LENGTH, _NOTE_LENGTH = 2000, 500


#: Sends a report to who asked; the future ends when the broker has it.
Say = Callable[[Report], "Future[None]"]


def infer(
    task: Task, run: str, model: Model, say: Say, stop: "Future[None] | None" = None, **who: Any
) -> "Future[None]":
    """Do one task and tell its submitter how it ended; return the future of the broker's having that last report.

    The submitter's fault ends the task here. The device's fault sends it on to another device, of which its submitter
    is told as well, until it was begun ``ATTEMPTS`` times.

    Args:
        task: the task.
        run: this attempt's own id.
        model: what to run it on.
        say: how to report.
        stop: ends when the task is cancelled.
        who: ``device`` and ``region``, for the reports.

    Raises:
        ModelError: this device could not do it; another one may.
        BrokerError: the report could not even be sent.
    """

    def tell(state: State, **more: Any) -> "Future[None]":
        return say(Report(task=task.id, state=state, at=time.time(), run=run, started=started, **who, **more))

    started = time.time()
    if task.expires is not None and started > task.expires:
        return tell(State.EXPIRED)
    tell(State.STARTED)
    lease = LEASE if task.lease is None else task.lease
    try:
        output = output_of(Work(task, model, lease, stop), Pieces(tell, lease, streamed=task.stream))
    except BadInput as error:
        return tell(State.FAILED, failure=_failure(Reason.BAD_INPUT, error))
    except Cancelled:  # its submitter knows, but not that this attempt at it has ended
        return tell(State.CANCELLED)
    except ModelError as error:
        if task.returns + 1 < ATTEMPTS:
            _tell_of_return(tell, error)
            raise
        log.error("task.given_up", extra={"task": task.id, "reason": str(error)})
        return tell(State.FAILED, failure=_failure(Reason.DEVICE, error))
    return tell(State.SUCCEEDED, output=output)


def _tell_of_return(tell: "Callable[..., Future[None]]", error: ModelError) -> None:
    try:
        tell(State.REQUEUED, note=str(error)[:_NOTE_LENGTH])
    except BrokerError as lost:  # the task goes back all the same
        log.warning("task.return_untold", extra={"reason": str(lost)})


def _failure(reason: Reason, error: Exception) -> Failure:
    return Failure(reason=reason, message=str(error)[:_MESSAGE_LENGTH])
