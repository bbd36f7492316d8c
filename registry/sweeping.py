"""What the sweep reads of the ledger and writes to it: leases, deadlines, dead letters, marks, who is at work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, text
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select, update

from registry.events import record_event
from registry.tables import Device, DeviceEvent, EventKind
from registry.task_state import Action, Outcome, TaskState
from registry.task_tables import Attempt, DeadLetter, LedgerMark, Task, TaskAction

# Literal, so that both databases see that the partial indexes serve.
IS_OPEN = text("tasks.state IN ('queued', 'started')")
IS_QUEUED = text("tasks.state = 'queued'")
_IS_RUNNING = text("attempts.outcome = 'running'")
_REASON_LENGTH = 500


@dataclass(frozen=True)
class Running:
    """An attempt that has not ended, as far as is known; ``reply_to`` and ``lease`` are its task's, where known."""

    submitter: str
    task: str
    run: str
    device: str
    started_at: datetime
    lease: float | None
    reply_to: str | None
    progressed_at: datetime | None = None


def is_recorded(session: Session, mark: str) -> bool:
    """Tell whether the recorder has come to a mark."""
    return session.get(LedgerMark, mark) is not None


def running_attempts(session: Session, before: datetime, limit: int) -> list[Running]:
    """Return the attempts that began before a time and have not ended, the oldest first."""
    joined = (col(Task.submitter) == col(Attempt.submitter)) & (col(Task.id) == col(Attempt.task))
    found = session.exec(
        select(Attempt, Task.lease, Task.reply_to)
        .join(Task, joined, isouter=True)
        .where(_IS_RUNNING, col(Attempt.started_at) < before)
        .order_by(col(Attempt.started_at))
        .limit(limit)
    )
    return [
        Running(a.submitter, a.task, a.run, a.device, a.started_at, lease, to, a.progressed_at)
        for a, lease, to in found
    ]


def end_attempt(session: Session, attempt: Running, outcome: Outcome, reason: str, now: datetime) -> int:
    """End an attempt that its device will not end, and let its task wait again unless another attempt runs.

    Returns:
        How often the task has been begun, by all that is known; 0 where the attempt or its task has ended meanwhile.
    """
    where = (col(Attempt.submitter) == attempt.submitter) & (col(Attempt.task) == attempt.task)
    # Whoever cleared the task for another device meanwhile has called this attempt lost: what is known here is more.
    unended = col(Attempt.outcome).in_((Outcome.RUNNING, Outcome.LOST))
    changes = {"outcome": outcome, "ended_at": now, "reason": reason[:_REASON_LENGTH]}
    this = where & (col(Attempt.run) == attempt.run) & unended
    if not session.execute(update(Attempt).where(this).values(changes)).rowcount:  # type: ignore[attr-defined]
        return 0
    is_task = (col(Task.submitter) == attempt.submitter) & (col(Task.id) == attempt.task)
    started = is_task & (col(Task.state) == TaskState.STARTED)
    runs = exists().where(where, _IS_RUNNING)
    session.execute(update(Task).where(started, ~runs).values(state=TaskState.QUEUED))
    if outcome is Outcome.OVERRAN:
        _record_overrun(session, attempt, reason, now)
    if session.exec(select(Task.id).where(is_task, IS_OPEN)).first() is None:
        return 0
    return _times_begun(session, attempt)


def _record_overrun(session: Session, attempt: Running, reason: str, now: datetime) -> None:
    # The event costs nothing: the task may be what hangs every device. Whether it counts is judged when the task has
    # ended (``registry/blame.py``); until then it says why the device lost whatever else it ran.
    record_action(session, attempt.submitter, attempt.task, Action.OVERRAN, reason, now)
    if session.get(Device, attempt.device):
        record_event(session, attempt.device, EventKind.OVERRAN, f"task {attempt.task}: {reason}", now)


def _times_begun(session: Session, attempt: Running) -> int:
    """Return how often the task was begun since its submitter last asked for it."""
    action = col(TaskAction.action) == Action.RETRIED
    asked = select(func.max(TaskAction.at)).where(
        TaskAction.submitter == attempt.submitter, TaskAction.task == attempt.task, action
    )
    since = session.exec(asked).one()
    mine = (Attempt.submitter == attempt.submitter, Attempt.task == attempt.task)
    begun = select(func.count()).select_from(Attempt).where(*mine)
    return session.exec(begun.where(col(Attempt.started_at) > since) if since else begun).one()


def overdue(session: Session, before: datetime, limit: int) -> list[Task]:
    """Return tasks that wait, and whose deadline lies before a time: the longest overdue first."""
    expired = (IS_OPEN, IS_QUEUED, col(Task.expires_at) < before, col(Task.reply_to).is_not(None))
    return list(session.exec(select(Task).where(*expired).order_by(col(Task.expires_at)).limit(limit)))


def record_action(session: Session, submitter: str, task: str, action: Action, reason: str, now: datetime) -> None:
    """Write down what the platform did with a task, and why; a reason beyond 500 characters is cut."""
    session.add(TaskAction(submitter=submitter, task=task, at=now, action=action, reason=reason[:_REASON_LENGTH]))


def untold_dead_letters(session: Session, limit: int) -> list[DeadLetter]:
    """Return dead letters whose submitters do not know yet, the oldest first, without what may be large in them."""
    without = (defer(DeadLetter.body, raiseload=True), defer(DeadLetter.headers, raiseload=True))  # type: ignore[arg-type]
    untold = select(DeadLetter).where(col(DeadLetter.ended_at).is_(None)).order_by(col(DeadLetter.id))
    return list(session.exec(untold.limit(limit).options(*without)))


def states_of(session: Session, tasks: Iterable[tuple[str, str]]) -> dict[tuple[str, str], TaskState]:
    """Return the states of tasks, given by submitter and id; what the ledger does not know is left out."""
    found = (session.get(Task, key) for key in tasks)
    return {(task.submitter, task.id): task.state for task in found if task}


def end_dead_letters(session: Session, letters: Sequence[int], now: datetime) -> None:
    """Mark dead letters as done: nobody is to be told of them any more."""
    session.execute(update(DeadLetter).where(col(DeadLetter.id).in_(letters)).values(ended_at=now))


def last_heard(session: Session, devices: Sequence[str], since: datetime) -> dict[str, datetime]:
    """Return when the ledger last heard of each of these devices at work, where that was since a time.

    A device that runs a task is heard of without end: there the task's lease tells when it is too long.
    """
    ended = (
        select(Task.device, func.max(Task.ended_at))
        .where(col(Task.ended_at) >= since, col(Task.device).in_(devices))
        .group_by(col(Task.device))
    )
    heard = {device: at for device, at in session.exec(ended) if device and at}
    runs = select(Attempt.device).where(_IS_RUNNING, col(Attempt.device).in_(devices)).distinct()
    return heard | dict.fromkeys(session.exec(runs), datetime.max.replace(tzinfo=since.tzinfo))


def hoarded_since(session: Session, device: str, since: datetime) -> bool:
    """Tell whether the device was found to hoard since a time."""
    kinds = (col(DeviceEvent.kind) == EventKind.HOARDED, col(DeviceEvent.at) >= since)
    return session.exec(select(DeviceEvent.id).where(DeviceEvent.device_id == device, *kinds)).first() is not None
