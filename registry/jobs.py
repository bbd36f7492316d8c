"""A submitter's own tasks: what the ledger knows of them, and what a submitter may change."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from registry.task_state import OPEN, Action, TaskState
from registry.task_tables import Task, TaskAction, TaskInput, TaskResult
from registry.tombstones import bury
from starai.errors import JobUnknown, NotPossible

#: The most of the platform's actions that are told of one task: the last ones.
MOST_ACTIONS = 1000

_RETRIED = frozenset({TaskState.FAILED, TaskState.EXPIRED})


def find_job(session: Session, submitter: str, task: str) -> Task:
    """Return a submitter's task.

    Raises:
        JobUnknown: the submitter has none of that id, as far as is known.
    """
    found = session.get(Task, (submitter, task))
    if found is None:
        raise _unknown(task)
    return found


def actions_of(session: Session, task: Task) -> list[TaskAction]:
    """Return what the platform did with a task of itself, the oldest first."""
    mine = (TaskAction.submitter == task.submitter, TaskAction.task == task.id)
    newest = select(TaskAction).where(*mine).order_by(col(TaskAction.id).desc()).limit(MOST_ACTIONS)
    return list(reversed(session.exec(newest).all()))


def result_of(session: Session, task: Task) -> bytes | None:
    """Return the report with a task's result, as it came, while it is kept."""
    found = session.get(TaskResult, (task.submitter, task.id))
    return found.body if found else None


def list_jobs(
    session: Session,
    submitter: str,
    *,
    states: Collection[TaskState] = (),
    since: datetime | None = None,
    tasks: Sequence[str] = (),
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Task]:
    """Return a submitter's tasks, the newest first.

    Args:
        session: the transaction.
        submitter: whose.
        states: in one of these states; in any where there are none.
        since: submitted then or later.
        tasks: only these ids.
        after: the time of submission and the id of the task after which the list begins.
        limit: so many at most.
    """
    at, name = col(Task.submitted_at), col(Task.id)
    wanted: list[ColumnElement[bool]] = [col(Task.submitter) == submitter]
    if states:
        wanted.append(col(Task.state).in_(states))
    if since:
        wanted.append(at >= since)
    if tasks:
        wanted.append(name.in_(tasks))
    if after:
        wanted.append(or_(at < after[0], and_(at == after[0], name < after[1])))
    return list(session.exec(select(Task).where(*wanted).order_by(at.desc(), name.desc()).limit(limit)))


def cancel_job(session: Session, submitter: str, task: str, at: datetime, *, reported: bool = False) -> Task:
    """Write down that a submitter cancels a task, which the ledger may not know yet, and return it.

    One that is open stays so until the platform's report of its end has come: what the ledger has not read yet may say
    that it ended before. Cancelling again keeps the first time.

    Args:
        session: the transaction.
        submitter: whose.
        task: which.
        at: when.
        reported: whether the end is reported also where the ledger does not know the task.

    Raises:
        NotPossible: it has ended; or too many tasks that nobody knows were cancelled.
    """
    bury(session, submitter, [task], at)
    found = _locked(session, submitter, [task])[0]
    if found.state not in OPEN and found.cancelled_at is None:
        raise NotPossible(f"Task {task} has ended: it is {found.state}.", task)
    if found.cancelled_at is None:
        found.cancelled_at = at
        _record(session, found, Action.CANCELLED, "its submitter asked for it", at)
    if not (found.bytes_in or reported) and found.state in OPEN:  # nothing else will end it
        found.state, found.ended_at = TaskState.CANCELLED, at
    session.add(found)
    session.flush()
    return found


def withdraw_jobs(session: Session, submitter: str, tasks: Iterable[str], at: datetime) -> int:
    """Reject tasks that a full queue did not take, which the ledger may not know yet; return how many.

    One that was started, or has ended, stays what it is.

    Raises:
        NotPossible: too many tasks that nobody knows were withdrawn.
    """
    wanted = sorted(set(tasks))
    bury(session, submitter, wanted, at)
    unstarted = [
        task for task in _locked(session, submitter, wanted) if task.state is TaskState.QUEUED and not task.attempts
    ]
    for task in unstarted:
        task.state, task.ended_at = TaskState.REJECTED, at
        session.add(task)
        _record(session, task, Action.WITHDRAWN, "its queue was full", at)
    session.flush()
    return len(unstarted)


def reopen_job(
    session: Session, submitter: str, task: str, *, expires: datetime, reason: str, at: datetime
) -> tuple[Task, bytes]:
    """Let a task that failed or expired wait again, and return it with its message's body, which is to be sent.

    From now on it counts as waiting: if it is not sent, it is lost, and put back as such.

    Raises:
        JobUnknown: the submitter has no such task, as far as is known.
        NotPossible: it neither failed nor expired, or its input is not kept any more.
    """
    found = _locked(session, submitter, [task])
    if not found:
        raise _unknown(task)
    job, kept = found[0], session.get(TaskInput, (submitter, task))
    if job.state not in _RETRIED:
        raise NotPossible(f"Task {task} is {job.state}: only what failed or expired can be retried.", task)
    if kept is None or not (job.region and job.target and job.reply_to):
        raise NotPossible(f"The input of task {task} is not kept any more: submit it anew.", task)
    job.state, job.expires_at = TaskState.QUEUED, expires
    job.started_at = job.ended_at = job.cancelled_at = job.device = job.reason = job.message = None
    session.add(job)
    _record(session, job, Action.RETRIED, reason, at)
    session.flush()
    return job, kept.body


def _locked(session: Session, submitter: str, tasks: Sequence[str]) -> list[Task]:
    """Return those tasks as they are now, and let nobody else change them meanwhile."""
    wanted = (Task.submitter == submitter, col(Task.id).in_(tasks))
    found = select(Task).where(*wanted).order_by(col(Task.id)).with_for_update()
    return list(session.exec(found.execution_options(populate_existing=True)))


def _record(session: Session, task: Task, action: Action, reason: str, at: datetime) -> None:
    session.add(TaskAction(submitter=task.submitter, task=task.id, at=at, action=action, reason=reason[:500]))


def _unknown(task: str) -> JobUnknown:
    return JobUnknown(
        f"The network knows no task {task!r} of yours. If it was submitted a moment ago, ask again.", task
    )
