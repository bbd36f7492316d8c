"""The fleet as its operator looks at it: each device with what it hosts and what it did."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from registry.health_view import HealthOverview, fleet_health
from registry.overview import DeviceOverview, all_devices
from registry.standing_rule import StandingSettings
from registry.tables import Deployment
from registry.task_state import Outcome
from registry.task_tables import Attempt, Task, Usage

# Among so many of the network's last tasks a device's own are looked for: no index is kept for that, which every
# attempt would have to pay for.
_LAST_TASKS = 20_000


@dataclass(frozen=True)
class FleetDevice:
    """A device, its owner's name, what it hosts, how it is, and how many tasks of its own succeeded and failed."""

    overview: DeviceOverview
    health: HealthOverview
    done: int
    failed: int

    @property
    def slots(self) -> int:
        """How many tasks it runs at once, over all of its models."""
        return sum(deployment.slots for deployment in self.overview.deployments)


@dataclass(frozen=True)
class RecentAttempt:
    """An attempt of a device, and the task's submitter, id and model."""

    submitter: str
    task: str
    model: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome
    reason: str | None


def fleet(session: Session, at: datetime, settings: StandingSettings) -> list[FleetDevice]:
    """Return all devices with their health at that time, by their ids."""
    summed = select(col(Usage.device), func.sum(col(Usage.tasks)), func.sum(col(Usage.failed)))
    rows = session.connection().execute(summed.group_by(col(Usage.device)))
    done = {device: (int(tasks), int(failed)) for device, tasks, failed in rows}
    overviews = {overview.device.id: overview for overview in all_devices(session)}
    return [
        FleetDevice(overviews[found.device.id], found, *done.get(found.device.id, (0, 0)))
        for found in fleet_health(session, at, settings)
    ]


def slots_of(session: Session) -> dict[str, int]:
    """Return how many tasks each enrolled device that hosts anything runs at once."""
    slots = func.sum(col(Deployment.slots))
    rows = session.connection().execute(select(col(Deployment.device_id), slots).group_by(col(Deployment.device_id)))
    return {device: int(count) for device, count in rows}


def tasks_of(session: Session) -> dict[str, int]:
    """Return how many tasks each device ended, whether they succeeded or failed."""
    ended = func.sum(col(Usage.tasks) + col(Usage.failed))
    rows = session.connection().execute(select(col(Usage.device), ended).group_by(col(Usage.device)))
    return {device: int(count) for device, count in rows}


def recent_attempts(session: Session, device: str, limit: int = 20) -> list[RecentAttempt]:
    """Return a device's latest attempts, the newest first: those that run, and those at tasks that ended lately.

    Lately means: among the last 20,000 tasks of the whole network.
    """
    running = select(*_COLUMNS).join_from(Attempt, Task, _same_task(Attempt, Task), isouter=True)
    running = running.where(col(Attempt.device) == device, col(Attempt.outcome) == Outcome.RUNNING)
    ended = select(*_KEY).where(col(Task.ended_at).is_not(None)).order_by(col(Task.ended_at).desc())
    last = ended.limit(_LAST_TASKS).subquery()
    over = select(*_COLUMNS).join_from(last, Attempt, and_(*_matches(last))).join(Task, _same_task(Attempt, Task))
    over = over.where(col(Attempt.device) == device, col(Attempt.outcome) != Outcome.RUNNING)
    newest_first = col(Attempt.started_at).desc()
    found = [
        RecentAttempt(*row)
        for query in (running, over)
        for row in session.connection().execute(query.order_by(newest_first).limit(limit))
    ]
    return sorted(found, key=lambda attempt: attempt.started_at, reverse=True)[:limit]


_KEY = (col(Task.submitter), col(Task.id))
_COLUMNS: tuple[Any, ...] = (
    col(Attempt.submitter),
    col(Attempt.task),
    col(Task.model),
    col(Attempt.started_at),
    col(Attempt.ended_at),
    col(Attempt.outcome),
    col(Attempt.reason),
)


def _same_task(attempt: type[Attempt], task: type[Task]) -> Any:
    return and_(col(attempt.submitter) == col(task.submitter), col(attempt.task) == col(task.id))


def _matches(last: Any) -> tuple[Any, Any]:
    return last.c.submitter == col(Attempt.submitter), last.c.id == col(Attempt.task)
