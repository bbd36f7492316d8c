"""Ends tasks that no device began before their deadline; the broker does that at the head of a queue only."""

import logging
from datetime import timedelta

from sqlalchemy import Engine

from registry.columns import now
from registry.database import reading, session
from registry.sweeping import overdue, record_action
from registry.task_state import Action
from registry.task_tables import Task
from starai.wire import Report, State
from tasks.telling import Telling
from tasks.told import Told

log = logging.getLogger(__name__)

#: Seconds after its deadline at which a task is ended: a device may be just about to say so.
MARGIN = 2.0
_REASON = "no device began it before its deadline"


class Deadlines:
    """Looks for tasks that wait past their deadline.

    Args:
        engine: the registry's.
        telling: publishes for the platform.
        margin: seconds, as ``MARGIN`` says.
        portion: tasks that are ended in one sweep, at most.
    """

    def __init__(self, engine: Engine, telling: Telling, margin: float = MARGIN, portion: int = 1000) -> None:
        self._engine = engine
        self._telling = telling
        self._margin = timedelta(seconds=margin)
        self._portion = portion
        self._told = Told()

    def end(self) -> None:
        """Tell the submitters that their tasks expired, and write it down.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the broker could not be reached, or refused.
        """
        at = now()
        with reading(self._engine) as registry:
            found = overdue(registry, at - self._margin, self._portion)
        tasks = [task for task in found if (task.submitter, task.id) not in self._told]
        said = self._telling.tell(
            (Report(task=task.id, state=State.EXPIRED, at=at.timestamp()), task.reply_to or "") for task in tasks
        )
        self._write([task for task, told in zip(tasks, said, strict=True) if told])

    def _write(self, tasks: list[Task]) -> None:
        if not tasks:
            return
        for task in tasks:
            self._told.add((task.submitter, task.id))
        with session(self._engine) as registry:
            for task in tasks:
                record_action(registry, task.submitter, task.id, Action.EXPIRED, _REASON, now())
        log.info("tasks.expired", extra={"tasks": len(tasks)})
