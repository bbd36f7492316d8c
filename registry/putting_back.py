"""Tasks that wait in a queue by the ledger's account: how many there should be, and those to be put back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, tuple_
from sqlmodel import Session, col, select

from registry.sweeping import IS_OPEN, IS_QUEUED, record_action
from registry.task_state import Action, Outcome, TaskState
from registry.task_tables import Attempt, DeadLetter, Task, TaskAction, TaskInput

#: A region and what was asked for there, a model or a tier: the words of a routing key.
Key = tuple[str, str]


def keys_in_use(session: Session, before: datetime) -> dict[Key, int]:
    """Return how many tasks of each routing key wait that were submitted before a time; a few too many at most."""
    waiting = (IS_OPEN, IS_QUEUED, col(Task.submitted_at) < before, col(Task.region).is_not(None))
    counts = select(Task.region, Task.target, func.count()).where(*waiting).group_by(col(Task.region), col(Task.target))
    return {(region, target): count for region, target, count in session.exec(counts) if region and target}


def count_waiting(session: Session, keys: Sequence[Key], befores: Sequence[datetime], now: datetime) -> list[int]:
    """Return how many tasks of these keys wait that were put into their queue before each of some times.

    These are tasks that nobody is known to have begun, nobody wants cancelled, whose deadline is ahead, and that are
    not known to have become dead letters: unless one was lost, its message is in the queue.

    Args:
        session: the transaction.
        keys: of one queue.
        befores: the times, the earliest first.
        now: the present.
    """
    if not befores:
        return []
    position = _position(_put_at(), befores)
    counts = select(position, func.count()).where(*_waits(keys, now)).group_by(position)
    found = dict(session.exec(counts).all())
    return [sum(found.get(earlier, 0) for earlier in range(at + 1)) for at in range(len(befores))]


def count_done(session: Session, keys: Sequence[Key], spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """Return, for each pair of times, how many tasks of these keys were put into their queue before the first one, and
    done by a device after the second.

    Args:
        session: the transaction.
        keys: of one queue.
        spans: the pairs, the earliest first, by either time.
    """
    if not spans:
        return []
    befores, afters = zip(*spans, strict=True)
    put, ended = _position(_put_at(), befores), _position(col(Task.ended_at), afters)
    done = (_of(keys), col(Task.state) == TaskState.SUCCEEDED, col(Task.ended_at) > afters[0])
    found = session.exec(select(put, ended, func.count()).where(*done).group_by(put, ended)).all()
    return [sum(count for p, e, count in found if p <= at < e) for at in range(len(spans))]


def claim_oldest(
    session: Session, keys: Sequence[Key], before: datetime, count: int, reason: str, now: datetime
) -> list[tuple[Task, bytes]]:
    """Return the tasks that wait longest of those put into their queue before a time, with their messages' bodies.

    Each counts as put back now, whether its message gets there or not: so nobody puts it back again at once.
    """
    put = _put_at()
    joined = (col(TaskInput.submitter) == col(Task.submitter)) & (col(TaskInput.task) == col(Task.id))
    oldest = (
        select(Task, TaskInput.body)
        .join(TaskInput, joined)
        .where(*_waits(keys, now), put < before, col(Task.reply_to).is_not(None))
        .order_by(put)
        .limit(count)
        # The recorder may be at a task: then it is not one that nobody has begun.
        .with_for_update(of=Task, skip_locked=True)
    )
    claimed = list(session.exec(oldest))
    for task, _ in claimed:
        task.republished += 1
        session.add(task)
        record_action(session, task.submitter, task.id, Action.REPUBLISHED, reason, now)
    return claimed


def _waits(keys: Sequence[Key], now: datetime) -> tuple[Any, ...]:
    begun = exists().where(
        col(Attempt.submitter) == col(Task.submitter),
        col(Attempt.task) == col(Task.id),
        col(Attempt.outcome) == Outcome.RUNNING,
    )
    dead = select(DeadLetter.task).where(col(DeadLetter.ended_at).is_(None), col(DeadLetter.task).is_not(None))
    return (
        IS_OPEN,
        IS_QUEUED,
        _of(keys),
        col(Task.cancelled_at).is_(None),
        col(Task.expires_at).is_(None) | (col(Task.expires_at) > now),
        ~begun,
        col(Task.id).not_in(dead),
    )


def _of(keys: Sequence[Key]) -> ColumnElement[bool]:
    return tuple_(col(Task.region), col(Task.target)).in_(keys)


def _position(time: Any, times: Sequence[datetime]) -> ColumnElement[int]:
    """Return the position of the first of these times that lies after a time; their number where none does."""
    return case(*((time < at, position) for position, at in enumerate(times)), else_=len(times))


def _put_at() -> ColumnElement[datetime]:
    """When a task was last put into its queue: by its submitter, or by the platform."""
    again = (
        select(func.max(TaskAction.at))
        .where(
            col(TaskAction.submitter) == col(Task.submitter),
            col(TaskAction.task) == col(Task.id),
            col(TaskAction.action).in_((Action.REPUBLISHED, Action.RETRIED)),
        )
        .scalar_subquery()
    )
    return func.coalesce(again, col(Task.submitted_at))
