"""What state a task may be in, as the ledger knows it, and how an attempt at it may have ended: data."""

from enum import StrEnum


class TaskState(StrEnum):
    """Where a task is.

    Attributes:
        QUEUED: submitted, and not known to be started; or put back.
        STARTED: some device said that it began it.
        REJECTED: its queue was full, so that it was withdrawn by who submitted it.
    """

    QUEUED = "queued"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


#: States in which something is still to come.
OPEN = frozenset({TaskState.QUEUED, TaskState.STARTED})


class Outcome(StrEnum):
    """How an attempt at a task ended.

    Attributes:
        RUNNING: it has not, as far as is known.
        LOST: the device ended, lost its connection, or gave the task back without a word.
        RETURNED: the device could not do it, gave it back, and said why.
        OVERRAN: it ran for longer than the task's lease, and was ended.
    """

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    LOST = "lost"
    RETURNED = "returned"
    OVERRAN = "overran"


class Action(StrEnum):
    """What the platform did with a task of itself."""

    REPUBLISHED = "republished"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    RETRIED = "retried"
    OVERRAN = "overran"
    DEAD_LETTERED = "dead-lettered"
