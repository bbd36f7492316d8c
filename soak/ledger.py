"""What the ledger says, as the account needs it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import Session, col, func
from sqlmodel import select as select_events

from registry.blame import MOMENT
from registry.database import session
from registry.tables import DeviceEvent
from registry.task_state import OPEN, Outcome, TaskState
from registry.task_tables import Attempt, DeadLetter, Task, TaskAction, Usage
from soak.account import Key, Told
from soak.blamed import Costly
from soak.end import End

_ENDS = {
    TaskState.QUEUED: End.OPEN,
    TaskState.STARTED: End.OPEN,
    TaskState.SUCCEEDED: End.ANSWERED,
    TaskState.FAILED: End.FAILED,
    TaskState.EXPIRED: End.EXPIRED,
    TaskState.CANCELLED: End.CANCELLED,
    TaskState.REJECTED: End.REJECTED,
}


@dataclass(frozen=True)
class Figures:
    """What the ledger counts beside the ends.

    Attributes:
        republished: how often the platform put a task back; ``actions``: what it did of itself, by kind.
        outcomes: attempts, by how they ended.
        usage: tasks that succeeded, by device, as they are charged; ``succeeded``: as the ledger has them.
    """

    republished: int
    actions: dict[str, int]
    outcomes: dict[str, int]
    dead_letters: int
    usage: dict[str, int]
    succeeded: dict[str, int]

    @property
    def usage_is_exact(self) -> bool:
        """Whether every device is charged for what it answered, no more and no less."""
        return {device: tasks for device, tasks in self.usage.items() if tasks} == self.succeeded

    @property
    def reallocations(self) -> int:
        """Attempts that another device had to make again."""
        return sum(self.outcomes.get(outcome, 0) for outcome in (Outcome.LOST, Outcome.RETURNED, Outcome.OVERRAN))


def open_tasks(engine: Engine) -> int:
    """Return how many tasks have not ended."""
    with session(engine) as registry:
        found = registry.connection().scalar(select(func.count()).where(col(Task.state).in_(OPEN)))
    return found or 0


def ends(engine: Engine) -> dict[Key, Told]:
    """Return how every task ended."""
    columns = select(col(Task.submitter), col(Task.id), col(Task.state), col(Task.reason), col(Task.message))
    with session(engine) as registry:
        return {
            (submitter, task): Told(_ENDS[state], ": ".join(filter(None, (reason, message))))
            for submitter, task, state, reason, message in registry.connection().execute(columns)
        }


def figures(engine: Engine) -> Figures:
    """Return the rest."""
    with session(engine) as registry:
        return Figures(
            republished=int(registry.connection().scalar(select(func.sum(col(Task.republished)))) or 0),
            actions=_counted(registry, col(TaskAction.action)),
            outcomes=_counted(registry, col(Attempt.outcome)),
            dead_letters=registry.connection().scalar(select(func.count()).select_from(DeadLetter)) or 0,
            usage=_counted(registry, col(Usage.device), func.sum(col(Usage.tasks))),
            succeeded=_counted(registry, col(Task.device), func.count(), col(Task.state) == TaskState.SUCCEEDED),
        )


def costly(engine: Engine) -> list[Costly]:
    """Return every event that took a device some trust."""
    with session(engine) as registry:
        events = registry.exec(select_events(DeviceEvent).where(col(DeviceEvent.cost).is_not(None)))
        return [Costly(event.device_id, _moment(event), event.kind, event.reason) for event in events]


def _moment(event: DeviceEvent) -> float:
    """Return when it happened, which was judged later in some cases."""
    figures = json.loads(event.figures) if event.figures else {}
    return (datetime.fromisoformat(figures[MOMENT]) if MOMENT in figures else event.at).timestamp()


def _counted(registry: Session, by: Any, what: Any = None, where: Any = None) -> dict[str, int]:
    counted = select(by, func.count() if what is None else what).group_by(by)
    rows = registry.connection().execute(counted if where is None else counted.where(where))
    return {str(name): int(count) for name, count in rows}
