"""What the registry forgets, and when: settings, and the deletions in portions that hold nobody up."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Delete, delete, func, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from registry.health_tables import HealthCycle
from registry.tables import DeviceEvent
from registry.task_tables import Attempt, LedgerMark, Task, TaskAction, TaskInput, TaskResult


class HistorySettings(BaseSettings):
    """How long the history of devices is kept, each from the environment.

    Attributes:
        history_cycle_days: health cycles.
        history_event_days: what happened to a device and cost it no trust, but the last of each kind: what counts
            against a device stays.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    history_cycle_days: Annotated[float, Field(gt=0)] = 7.0
    history_event_days: Annotated[float, Field(gt=0)] = 90.0


class LedgerSettings(BaseSettings):
    """How long the ledger keeps what, each from the environment.

    Attributes:
        ledger_result_hours: results are kept so long after they came.
        ledger_result_gib: as many results are kept, in GiB (2^30 bytes); beyond it the oldest ones go earlier.
        ledger_task_days: tasks are kept so long after they ended, with their attempts and what was done with them.
            What is counted for usage stays, and so do dead letters.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    ledger_result_hours: Annotated[float, Field(gt=0)] = 24.0
    ledger_result_gib: Annotated[float, Field(gt=0)] = 10.0
    ledger_task_days: Annotated[float, Field(gt=0)] = 7.0


def forget_results(session: Session, before: datetime, limit: int) -> int:
    """Delete results that came before a time, the oldest first; return how many bytes they had."""
    return _delete_results(session, _oldest_results(session, limit, before), None)


def forget_results_beyond(session: Session, excess: int, limit: int) -> int:
    """Delete the oldest results until so many bytes are gone; return how many bytes they had."""
    return _delete_results(session, _oldest_results(session, limit), excess)


def bytes_of_results(session: Session, since: datetime | None, until: datetime) -> int:
    """Return how many bytes the results have that came from one time on, and before another."""
    size = select(func.coalesce(func.sum(func.length(TaskResult.body)), 0)).where(col(TaskResult.at) < until)
    return int(session.exec(size.where(col(TaskResult.at) >= since) if since else size).one())


def forget_tasks(session: Session, before: datetime, limit: int) -> int:
    """Delete tasks that ended before a time, with all that belongs to them; return how many there were."""
    ended = select(Task.submitter, Task.id).where(col(Task.ended_at) < before).order_by(col(Task.ended_at)).limit(limit)
    keys = [tuple(key) for key in session.exec(ended)]
    if keys:
        for table in (Attempt, TaskAction, TaskInput, TaskResult):
            session.execute(_of_tasks(table, keys))
        session.execute(delete(Task).where(tuple_(col(Task.submitter), col(Task.id)).in_(keys)))
    return len(keys)


def forget_cycles(session: Session, before: datetime) -> int:
    """Delete the health cycles that began before a time, but the last one; return how many there were."""
    last = select(func.max(HealthCycle.id)).scalar_subquery()
    old = delete(HealthCycle).where(col(HealthCycle.began_at) < before, col(HealthCycle.id) != last)
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def forget_events(session: Session, before: datetime, limit: int) -> int:
    """Delete events of devices from before a time that cost no trust, but each device's last of a kind.

    Returns:
        How many there were, ``limit`` at most.
    """
    later = aliased(DeviceEvent)
    is_later = (
        col(later.device_id) == col(DeviceEvent.device_id),
        col(later.kind) == col(DeviceEvent.kind),
        col(later.id) > col(DeviceEvent.id),
    )
    old = select(DeviceEvent.id).where(
        col(DeviceEvent.at) < before, col(DeviceEvent.cost).is_(None), select(later.id).where(*is_later).exists()
    )
    found = list(session.exec(old.limit(limit)))
    session.execute(delete(DeviceEvent).where(col(DeviceEvent.id).in_(found)))
    return len(found)


def forget_marks(session: Session, before: datetime) -> None:
    """Delete the marks from before a time."""
    session.execute(delete(LedgerMark).where(col(LedgerMark.at) < before))


def _of_tasks(table: Any, keys: list[tuple[Any, ...]]) -> Delete:
    return delete(table).where(tuple_(table.submitter, table.task).in_(keys))


def _oldest_results(session: Session, limit: int, before: datetime | None = None) -> list[tuple[str, str, int]]:
    sizes = select(TaskResult.submitter, TaskResult.task, func.length(TaskResult.body)).order_by(col(TaskResult.at))
    return list(session.exec((sizes.where(col(TaskResult.at) < before) if before else sizes).limit(limit)))


def _delete_results(session: Session, oldest: list[tuple[str, str, int]], excess: int | None) -> int:
    gone, keys = 0, []
    for submitter, task, size in oldest:
        if excess is not None and gone >= excess:
            break
        gone += size
        keys.append((submitter, task))
    if keys:
        session.execute(_of_tasks(TaskResult, keys))
    return gone
