"""Counts failures at tasks against devices, once it is known that the task was not to blame."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from broker_config import names
from broker_config.management import Management
from models.browser import BROWSER
from registry.blame import (
    MOMENT,
    Undone,
    active_devices,
    is_counted,
    is_excused,
    judge,
    lately,
    losses,
    suspects,
    unjudged,
)
from registry.database import reading, session
from registry.failures import count_failure
from registry.measurements import latest_measurement
from registry.standing_rule import StandingSettings
from registry.task_state import OPEN, Outcome, TaskState
from starai.errors import StarAIError
from tasks.device_connections import DeviceConnections
from tasks.health.blame_rule import (
    KINDS,
    LATELY,
    WINDOW,
    is_done_elsewhere,
    is_everybodys,
    loses_most,
    reason_of,
    together,
)

log = logging.getLogger(__name__)

# The events that excuse are written by other processes, at about the time of what they excuse.
_SLACK = timedelta(seconds=10)
# What one connection held comes back at once, and is asked for again within so long where its queue is not full.
_TOGETHER = timedelta(seconds=3)


class Blame:
    """Judges attempts that ended without a result: the right device is blamed, or nobody.

    Args:
        engine: the registry's.
        management: the broker's management API.
        settings: of the standing; by default the environment's.
        portion: attempts that are looked at in one go, at most.
        vhost: the network's virtual host.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        settings: StandingSettings | None = None,
        portion: int = 5_000,
        vhost: str = names.VHOST,
    ) -> None:
        self._engine = engine
        self._management = management
        self._connections = DeviceConnections(management, vhost)
        self._settings = settings or StandingSettings()
        self._portion = portion

    def look(self, at: datetime) -> None:
        """Judge every attempt whose task has ended, and those that ended together with it; each once.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the management API could not be reached, or refused.
        """
        with reading(self._engine) as registry:
            attempts = unjudged(registry, self._portion)
            if not attempts:
                return
            ends = [one.ended_at for one in attempts]
            lost = losses(registry, min(ends) - WINDOW, max(ends) + WINDOW)
            active = active_devices(registry)
        broker_since = at - timedelta(seconds=self._management.uptime())
        for group in together(attempts):
            if any(one.is_open for one in group):
                continue
            suspected = is_done_elsewhere(group) and not is_everybodys(group, lost, active, broker_since)
            try:
                self._judge(group, at, suspected=suspected)
            except StarAIError as error:  # the others are judged all the same
                log.warning("blame.failed", extra={"device": group[0].device, "reason": str(error)})

    def _judge(self, group: Sequence[Undone], at: datetime, *, suspected: bool) -> None:
        vanished = self._has_vanished(group) if suspected else False
        if vanished is None:
            return
        kind, device = KINDS[group[0].outcome], group[0].device
        with session(self._engine) as registry:
            # What may have taken it down is not known to be poison before it has ended.
            taken_down = self._suspects(registry, group) if vanished else set()
            if taken_down & OPEN or not judge(registry, group, at) or not vanished:
                return
            if taken_down - {TaskState.SUCCEEDED} or is_counted(registry, group, kind):
                return
            if any(is_excused(registry, one, _SLACK) for one in group):
                return
            if self._may_go(registry, group[0], at):
                log.info("device.went", extra={"device": device, "tasks": len(group)})
                return
            figures = {MOMENT: group[0].ended_at.isoformat(), "tasks": [one.task for one in group[:20]]}
            reason = reason_of(group)
            count_failure(registry, device, kind, reason, at, settings=self._settings, figures=figures)
        log.warning("device.blamed", extra={"device": device, "kind": str(kind), "tasks": len(group)})

    @staticmethod
    def _may_go(registry: Session, lost: Undone, at: datetime) -> bool:
        """Tell whether nothing is made of what a device lost: it is a page in a browser, and does most of its tasks."""
        if lost.outcome is Outcome.RETURNED:
            return False
        measured = latest_measurement(registry, lost.device)
        is_page = measured is not None and measured.provider == BROWSER
        return is_page and not loses_most(*lately(registry, lost.device, at - LATELY))

    @staticmethod
    def _suspects(registry: Session, group: Sequence[Undone]) -> set[TaskState]:
        first = group[0]
        return suspects(registry, first.device, first.ended_at, _TOGETHER) if first.outcome is Outcome.LOST else set()

    def _has_vanished(self, group: Sequence[Undone]) -> bool | None:
        """Tell whether the connection is gone over which a device had lost attempts, or ``None``: not known yet.

        An attempt is called lost when another device asks to do its task, and any that hosts the model may ask; that
        the first one's connection ended only the broker can say. Of other attempts nobody needs to know.
        """
        first = group[0]
        if first.outcome is not Outcome.LOST:
            return True
        began = self._connections.for_tasks(first.device).values()
        if None in began:
            return None
        return not any(at <= first.started_at for at in began if at)
