"""Rows of tasks that the ledger does not know yet, for what their submitter says of them before it does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from registry.task_state import TaskState
from registry.task_tables import Task
from starai.errors import NotPossible
from starai.request import MOST_TOMBSTONES

# Literal, so that both databases see that the partial index serves.
_IS_UNKNOWN = text("tasks.bytes_in = 0")


def bury(session: Session, submitter: str, tasks: Sequence[str], at: datetime) -> None:
    """Add a row for each task that has none; the recorder fills in the rest when its submission comes.

    Raises:
        NotPossible: the submitter has too many such rows.
    """
    known = session.exec(select(Task.id).where(Task.submitter == submitter, col(Task.id).in_(tasks))).all()
    new = set(tasks).difference(known)
    if not new:
        return
    count = select(func.count()).select_from(Task).where(Task.submitter == submitter, _IS_UNKNOWN)
    if session.exec(count).one() + len(new) > MOST_TOMBSTONES:
        raise NotPossible(f"More than {MOST_TOMBSTONES:,} tasks were cancelled or withdrawn that nobody knows of yet.")
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [Task(submitter=submitter, id=task, submitted_at=at, state=TaskState.QUEUED).model_dump() for task in new]
    # The recorder may add the same one at this moment.
    session.execute(insert(Task).on_conflict_do_nothing(), rows)
