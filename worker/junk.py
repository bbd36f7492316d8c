"""What the sender of junk is told."""

import time

from broker_config.regions import Region
from starai.wire import Failure, Reason, Report, State

#: The most of a reason that is repeated: it may quote what a stranger wrote.
LENGTH = 500


def junk_report(task: str, reason: str, device: str, region: Region) -> Report:
    """Return the report that refuses a task."""
    failure = Failure(reason=Reason.BAD_INPUT, message=f"The task was refused: {reason}.")
    return Report(task=task, state=State.FAILED, at=time.time(), device=device, region=region, failure=failure)
