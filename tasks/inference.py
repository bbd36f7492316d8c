"""The inference task, as a device does it: what happens between a task's start and its end."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput, ModelError
from starai.tensor import pack
from starai.wire import Failure, Reason, Report, State
from tasks.message import Task

#: Seconds that a task may run on one device.
LEASE = 60.0
#: Devices that may fail at one task before it is given up.
ATTEMPTS = 3
_MESSAGE_LENGTH = 2000


class Model(Protocol):
    """A model that this device hosts."""

    def run(self, inputs: list[str], timeout: float | None) -> NDArray[np.float32]:
        """Return one row for each text."""


class Verdict(Enum):
    """What is to become of the task's message."""

    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"


#: Sends a report to who asked; the future ends when the broker has it.
Say = Callable[[Report], "Future[None]"]


def infer(task: Task, run: str, model: Model, say: Say, **who: Any) -> Verdict:
    """Do one task and tell its submitter; return what its message deserves.

    The submitter's fault ends the task here. The device's fault sends it on to another device, until as many
    as ``ATTEMPTS`` have failed at it.

    Args:
        task: the task.
        run: this attempt's own id.
        model: what to run it on.
        say: how to report.
        who: ``device`` and ``region``, for the reports.
    """

    def report(state: State, **more: Any) -> "Future[None]":
        return say(Report(task=task.id, state=state, at=time.time(), run=run, **who, **more))

    if task.expires is not None and time.time() > task.expires:
        report(State.EXPIRED).result()
        return Verdict.ACKNOWLEDGE
    report(State.STARTED)
    try:
        vectors = _vectors(task, model)
    except BadInput as error:
        report(State.FAILED, failure=_failure(Reason.BAD_INPUT, error)).result()
    except ModelError as error:
        if task.returns + 1 < ATTEMPTS:
            return Verdict.RETURN
        report(State.FAILED, failure=_failure(Reason.DEVICE, error)).result()
    else:
        report(State.SUCCEEDED, output=pack(vectors)).result()
    return Verdict.ACKNOWLEDGE


def _vectors(task: Task, model: Model) -> NDArray[np.float32]:
    if isinstance(task.inputs, str):
        row: NDArray[np.float32] = model.run([task.inputs], LEASE)[0]
        return row
    if not task.inputs:
        raise BadInput("The list of texts is empty: there is nothing to do.")
    return model.run(task.inputs, LEASE)


def _failure(reason: Reason, error: Exception) -> Failure:
    return Failure(reason=reason, message=str(error)[:_MESSAGE_LENGTH])
