"""Attempts at tasks that their devices did not do: what the ledger tells of whose fault that was."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text, tuple_
from sqlmodel import Session, col, func, select, update

from broker_config import names
from registry.device_state import DeviceState
from registry.tables import Deployment, Device, DeviceEvent, EventKind
from registry.task_state import OPEN, Outcome, TaskState
from registry.task_tables import Attempt, Task, Usage

#: Figures of a failure that was counted: the moment at which the first of its attempts ended.
MOMENT = "moment"

# Literal, so that both databases see that the partial index serves.
_IS_UNDONE = text("attempts.outcome IN ('lost', 'returned', 'overran')")
_AFTER_UNASKED = text("attempts.after_unasked")
# The states that a device comes into are kinds of events as well.
_STATES = tuple(EventKind(state) for state in DeviceState)
_OUT = (EventKind.INACTIVE, EventKind.OFFLINE, EventKind.BLACKLISTED)


@dataclass(frozen=True)
class Undone:
    """An attempt whose device did not do the task.

    Attributes:
        state: the task's, now; ``done_by`` who ended it.
        reason: why the device gave it back, in its own words, where it did.
    """

    submitter: str
    task: str
    run: str
    device: str
    outcome: Outcome
    started_at: datetime
    ended_at: datetime
    reason: str | None
    state: TaskState
    done_by: str | None

    @property
    def is_open(self) -> bool:
        """Whether the task may still be done."""
        return self.state in OPEN


def unjudged(session: Session, limit: int) -> list[Undone]:
    """Return the attempts of which nobody has decided yet whether they count, those that ended first first."""
    joined = (col(Task.submitter) == col(Attempt.submitter)) & (col(Task.id) == col(Attempt.task))
    found = session.exec(
        select(Attempt, Task.state, Task.device)
        .join(Task, joined)
        .where(_IS_UNDONE, col(Attempt.judged_at).is_(None), col(Attempt.ended_at).is_not(None))
        .order_by(col(Attempt.ended_at))
        .limit(limit)
    )
    return [
        Undone(
            a.submitter,
            a.task,
            a.run,
            a.device,
            a.outcome,
            a.started_at,
            a.ended_at,
            a.reason,
            TaskState(state),
            done_by,
        )
        for a, state, done_by in found
        if a.ended_at is not None
    ]


def judge(session: Session, attempts: Sequence[Undone], at: datetime) -> bool:
    """Write down that it is decided about all of these attempts; tell whether nobody had done so before."""
    keys = [(one.submitter, one.task, one.run) for one in attempts]
    these = tuple_(col(Attempt.submitter), col(Attempt.task), col(Attempt.run)).in_(keys)
    changed = session.execute(update(Attempt).where(these, col(Attempt.judged_at).is_(None)).values(judged_at=at))
    return bool(changed.rowcount == len(keys))  # type: ignore[attr-defined]


def losses(session: Session, since: datetime, until: datetime) -> list[tuple[str, datetime]]:
    """Return which devices lost an attempt, or had one taken away, between two times, and when."""
    judged = col(Attempt.judged_at)
    found = session.exec(
        select(Attempt.device, Attempt.ended_at).where(
            _IS_UNDONE,
            judged.is_(None) | (judged >= since),  # so that the index serves
            col(Attempt.ended_at).between(since, until),
            col(Attempt.outcome) != Outcome.RETURNED,
        )
    )
    return [(device, at) for device, at in found if at is not None]


def lately(session: Session, device: str, since: datetime) -> tuple[int, int]:
    """Return how many attempts of a device were lost or overran since a time, and tasks that it did since that day."""
    judged = col(Attempt.judged_at)
    lost = select(func.count()).where(
        _IS_UNDONE,
        judged.is_(None) | (judged >= since),  # so that the index serves
        col(Attempt.ended_at) >= since,
        Attempt.device == device,
        Attempt.outcome != Outcome.RETURNED,
    )
    done = select(func.coalesce(func.sum(Usage.tasks), 0)).where(Usage.device == device, col(Usage.day) >= since.date())
    return int(session.exec(lost).one()), int(session.exec(done).one())


def active_devices(session: Session) -> set[str]:
    """Return the devices that serve."""
    return set(session.exec(select(Device.id).where(Device.state == DeviceState.ACTIVE)))


def is_excused(session: Session, attempt: Undone, slack: timedelta) -> bool:
    """Tell whether the device had left, or the platform had cut it off, while the attempt went on.

    That it is inactive is written down before it is cut off: what comes later, because it was silent then, excuses
    nothing. Who gave a task back by itself was not cut off before it had it. An overrun that was counted is no cut; the
    cut was written down when it happened. An attempt that itself overran is not excused by that.

    Args:
        session: the transaction.
        attempt: which.
        slack: how far before the attempt a cut may be written down, and how far after it a goodbye, or that it hoarded
            or overran.
    """
    mine = select(DeviceEvent.kind).where(DeviceEvent.device_id == attempt.device)
    begin, end = attempt.started_at, attempt.ended_at
    if attempt.outcome is not Outcome.RETURNED:  # its beginning may have been heard of late
        begin -= slack
    last = mine.where(col(DeviceEvent.kind).in_(_STATES), col(DeviceEvent.at) <= end)
    if session.exec(last.order_by(col(DeviceEvent.at).desc(), col(DeviceEvent.id).desc())).first() in _OUT:
        return True
    cut = [EventKind.OFFLINE, EventKind.HOARDED]
    if attempt.outcome is not Outcome.OVERRAN:
        cut.append(EventKind.OVERRAN)
    is_cut = col(DeviceEvent.cost).is_(None) | (col(DeviceEvent.kind) != EventKind.OVERRAN)
    was_out = col(DeviceEvent.kind).in_(_OUT) & col(DeviceEvent.at).between(begin, end)
    was_cut = col(DeviceEvent.kind).in_(cut) & is_cut & col(DeviceEvent.at).between(begin, end + slack)
    return session.exec(mine.where(was_out | was_cut)).first() is not None


def suspects(session: Session, device: str, at: datetime, slack: timedelta) -> set[TaskState]:
    """Return how tasks ended, or stand, that may have taken a device down before it could say that it began them.

    That are those of its models that came back at about that time, and that some device had begun unasked.
    """
    hosted = session.exec(select(Deployment.model).where(Deployment.device_id == device))
    joined = (col(Task.submitter) == col(Attempt.submitter)) & (col(Task.id) == col(Attempt.task))
    found = (
        select(Task.state)
        .join(Attempt, joined)
        .where(
            _AFTER_UNASKED,
            col(Attempt.started_at).between(at - slack, at + slack),
            col(Task.model).in_([names.wire_name(model) for model in hosted]),
        )
    )
    return {TaskState(state) for state in session.exec(found)}


def is_counted(session: Session, attempts: Iterable[Undone], kind: EventKind) -> bool:
    """Tell whether one of these attempts ended with others for which a failure of that kind was counted already."""
    return any(one.started_at <= moment <= one.ended_at for one in attempts for moment in _moments(session, one, kind))


def _moments(session: Session, attempt: Undone, kind: EventKind) -> list[datetime]:
    counted = select(DeviceEvent.figures).where(
        DeviceEvent.device_id == attempt.device,
        DeviceEvent.kind == kind,
        col(DeviceEvent.cost).is_not(None),
        col(DeviceEvent.at) >= attempt.started_at,
    )
    figures = (json.loads(found) for found in session.exec(counted) if found)
    return [datetime.fromisoformat(found[MOMENT]) for found in figures if MOMENT in found]
