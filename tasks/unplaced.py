"""What the platform says to the submitter of a task whose model no device of the network hosts."""

import time
from collections.abc import Iterable

from starai.wire import Failure, Reason, Report, State


def unplaced(task: str, target: str, hosted: Iterable[str] | None) -> Report:
    """Return the report that ends a task for which there is no queue.

    Args:
        task: the task's id.
        target: the model or tier that was asked for, as it stands in the routing key.
        hosted: the models that devices of the network host now, where that is known.
    """
    message = f"No device of this network hosts {target[:80]!r}."
    if hosted is not None:
        message += f" Hosted now: {', '.join(sorted(hosted)) or 'none yet'}."
    failure = Failure(reason=Reason.UNKNOWN_MODEL, message=message[:2000])
    return Report(task=task, state=State.FAILED, at=time.time(), failure=failure)
