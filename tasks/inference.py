"""The inference task, as a device does it: what happens between a task's start and its end."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput, ModelError
from starai.tensor import pack
from starai.wire import MAX_BODY, Failure, Reason, Report, State, Tensor
from tasks.message import Task

log = logging.getLogger(__name__)

#: Seconds that a task may run on one device.
LEASE = 60.0
#: Devices that may fail at one task before it is given up.
ATTEMPTS = 3
_MESSAGE_LENGTH = 2000
# What a report needs beside its tensor, at most.
_ENVELOPE = 1024


class Model(Protocol):
    """A model that this device hosts."""

    def run(self, inputs: list[str], timeout: float | None) -> NDArray[np.float32]:
        """Return one row for each text."""


#: Sends a report to who asked; the future ends when the broker has it.
Say = Callable[[Report], "Future[None]"]


def infer(task: Task, run: str, model: Model, say: Say, **who: Any) -> "Future[None]":
    """Do one task and tell its submitter how it ended; return the future of the broker's having that last report.

    The submitter's fault ends the task here. The device's fault sends it on to another device, until as many
    as ``ATTEMPTS`` have failed at it.

    Args:
        task: the task.
        run: this attempt's own id.
        model: what to run it on.
        say: how to report.
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
    try:
        output = _output(task, model)
    except BadInput as error:
        return tell(State.FAILED, failure=_failure(Reason.BAD_INPUT, error))
    except ModelError as error:
        if task.returns + 1 < ATTEMPTS:
            raise
        log.error("task.given_up", extra={"task": task.id, "reason": str(error)})
        return tell(State.FAILED, failure=_failure(Reason.DEVICE, error))
    return tell(State.SUCCEEDED, output=output)


def _output(task: Task, model: Model) -> Tensor:
    output = pack(_vectors(task, model))
    if len(output.data) + _ENVELOPE > MAX_BODY:
        size = f"{len(output.data) + _ENVELOPE:,} bytes; the most is {MAX_BODY:,}"
        raise BadInput(f"The result would have {size}. Send fewer texts in one task, or use map().")
    return output


def _vectors(task: Task, model: Model) -> NDArray[np.float32]:
    if isinstance(task.inputs, str):
        row: NDArray[np.float32] = _run(model, [task.inputs])[0]
        return row
    if not task.inputs:
        raise BadInput("The list of texts is empty: there is nothing to do.")
    return _run(model, task.inputs)


def _run(model: Model, texts: list[str]) -> NDArray[np.float32]:
    try:
        return model.run(texts, LEASE)
    except (BadInput, ModelError):
        raise
    except Exception as error:  # a fault of ours, and one attempt: the task must not go round for ever
        raise ModelError(f"The model ended with an error that nobody expected: {type(error).__name__}.") from error


def _failure(reason: Reason, error: Exception) -> Failure:
    return Failure(reason=reason, message=str(error)[:_MESSAGE_LENGTH])
