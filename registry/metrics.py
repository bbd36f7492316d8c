"""What the ledger and the registry count for metrics. Nothing in it names a submitter, nor what one may choose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Float, Integer, case, cast, extract, func, select
from sqlmodel import Session, col

from registry.device_state import DeviceState
from registry.tables import Device
from registry.task_state import OPEN, TaskState
from registry.task_tables import Task
from starai.wire import Reason

#: Where a reason stands that is none of ours.
OTHER = "other"
_SECONDS_A_DAY = 86_400


@dataclass
class Ended:
    """What became of the tasks that ended in some time.

    Attributes:
        tasks: how many ended in each state.
        failed: how many failed, by :class:`starai.wire.Reason`.
        answered: of those that succeeded, how many within each of the bounds, then all of them.
        seconds: from their submission to their end, summed up over those that succeeded.
        lost: attempts that did not end their task: a device ended, or ran it for too long.
        republished: how often the platform put one back.
    """

    tasks: Counter[TaskState] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    answered: list[int] = field(default_factory=list)
    seconds: float = 0.0
    lost: int = 0
    republished: int = 0

    def __iadd__(self, later: "Ended") -> "Ended":
        self.tasks.update(later.tasks)
        self.failed.update(later.failed)
        longest = max(len(self.answered), len(later.answered))
        self.answered = [sum(pair) for pair in zip(_padded(self, longest), _padded(later, longest), strict=True)]
        self.seconds += later.seconds
        self.lost += later.lost
        self.republished += later.republished
        return self


def devices_by_state(session: Session) -> dict[DeviceState, int]:
    """Return how many devices are in each state, also where there is none."""
    rows = session.connection().execute(select(col(Device.state), func.count()).group_by(col(Device.state)))
    found = {DeviceState(state): int(count) for state, count in rows}
    return {state: found.get(state, 0) for state in DeviceState}


def ended_between(session: Session, since: datetime, until: datetime, bounds: Sequence[float]) -> Ended:
    """Sum up the tasks that ended after ``since``, and until ``until``.

    Args:
        session: the transaction.
        since: the beginning, itself left out, so that one such time may follow another.
        until: the end, itself taken in.
        bounds: in seconds: of each is counted how many tasks were answered within it.
    """
    took = _took(session)
    within = [func.sum(case((took <= bound, 1), else_=0)) for bound in bounds]
    # Casts, because PostgreSQL sums whole numbers up to decimal ones.
    lost, republished = (func.sum(cast(count, Integer)) for count in (_lost(), col(Task.republished)))
    grouped = (
        select(col(Task.state), col(Task.reason), func.count(), func.sum(took), lost, republished, *within)
        .where(col(Task.ended_at) > since, col(Task.ended_at) <= until)
        .group_by(col(Task.state), col(Task.reason))
    )
    total = Ended(answered=[0] * (len(bounds) + 1))
    for state, reason, count, seconds, more, again, *answered in session.connection().execute(grouped):
        total += _ended(TaskState(state), reason, int(count), float(seconds or 0.0), [int(n) for n in answered])
        total += Ended(lost=int(more or 0), republished=int(again or 0))
    return total


def _ended(state: TaskState, reason: str | None, count: int, seconds: float, answered: list[int]) -> Ended:
    if state in OPEN:  # none of them has ended, whatever its columns say
        return Ended()
    found = Ended(tasks=Counter({state: count}))
    if state is TaskState.SUCCEEDED:
        found.answered, found.seconds = [*answered, count], seconds
    if state is TaskState.FAILED:
        found.failed[reason if reason in set(Reason) else OTHER] = count
    return found


def _lost() -> ColumnElement[int]:
    attempts = col(Task.attempts)
    return case((attempts > 1, attempts - 1), else_=0)


def _took(session: Session) -> ColumnElement[float]:
    """Return the seconds from a task's submission to its end, which each kind of database reckons in its own way."""
    submitted, ended = col(Task.submitted_at), col(Task.ended_at)
    if session.get_bind().dialect.name == "postgresql":
        return cast(extract("epoch", ended - submitted), Float)
    return (func.julianday(ended) - func.julianday(submitted)) * _SECONDS_A_DAY


def _padded(ended: Ended, length: int) -> list[int]:
    return ended.answered + [0] * (length - len(ended.answered))
