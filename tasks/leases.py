"""Takes tasks from devices on which they have run for longer than their lease."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from broker_config import names
from broker_config.errors import NotAtBroker
from broker_config.management import Management
from registry.columns import now
from registry.database import reading, session
from registry.sweeping import Running, end_attempt, record_action, running_attempts
from registry.task_state import Action, Outcome
from starai.submission import SHORTEST_LEASE
from starai.wire import Failure, Reason, Report, State
from tasks.device_connections import DeviceConnections
from tasks.inference import ATTEMPTS, LEASE
from tasks.lease_rule import judged, overran
from tasks.telling import Telling

log = logging.getLogger(__name__)

#: Seconds beyond a lease in which the device may still stop the task by itself, and say so.
MARGIN = 5.0


class Leases:
    """Looks for attempts that run too long.

    Args:
        engine: the registry's.
        management: the broker's management API.
        telling: publishes for the platform.
        lease: seconds that a task may run on one device unless its submitter asked for another time.
        margin: seconds, as ``MARGIN`` says.
        portion: running attempts that are looked at in one sweep, at most.
        vhost: the network's virtual host.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        telling: Telling,
        lease: float = LEASE,
        margin: float = MARGIN,
        portion: int = 10_000,
        vhost: str = names.VHOST,
    ) -> None:
        self._engine = engine
        self._management = management
        self._connections = DeviceConnections(management, vhost)
        self._telling = telling
        self._lease = lease
        self._margin = margin
        self._portion = portion

    def end(self) -> None:
        """Close the connections that hold such tasks, so that the broker gives them to others, and write it down.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the broker could not be reached, or refused.
        """
        at = now()
        shortest = min(self._lease, SHORTEST_LEASE) + self._margin
        with reading(self._engine) as registry:
            running = running_attempts(registry, at - timedelta(seconds=shortest), self._portion)
        for device, attempts in _by_device(overran(running, self._lease, self._margin, at)).items():
            self._end(device, attempts, at)

    def _end(self, device: str, attempts: list[Running], at: datetime) -> None:
        run, ended, holders = judged(attempts, self._connections.that_may_hold(device))
        for connection in holders:
            self._close(connection, device)
        for attempt in run:
            self._write(attempt, Outcome.OVERRAN, at)
        for attempt in ended:
            self._write(attempt, Outcome.LOST, at)

    def _close(self, connection: str, device: str) -> None:
        try:
            self._management.close_connection(connection, "a task ran for longer than its lease")
        except NotAtBroker:  # it has ended by itself
            log.info("connection.ended", extra={"device": device})

    def _write(self, attempt: Running, outcome: Outcome, at: datetime) -> None:
        reason = self._reason(attempt, outcome)
        with session(self._engine) as registry:
            begun = end_attempt(registry, attempt, outcome, reason, at)
        event = {"task": attempt.task, "device": attempt.device, "outcome": str(outcome), "begun": begun}
        log.warning("attempt.ended", extra=event)
        if begun >= ATTEMPTS and attempt.reply_to:
            self._give_up(attempt, f"It was begun {begun} times, and no device ended it. The last time {reason}.", at)

    def _reason(self, attempt: Running, outcome: Outcome) -> str:
        if outcome is Outcome.OVERRAN:
            return f"it ran for longer than its lease of {attempt.lease or self._lease:g} s on {attempt.device}"
        return f"{attempt.device} began it and has lost its connection since"

    def _give_up(self, attempt: Running, message: str, at: datetime) -> None:
        failure = Failure(reason=Reason.DEVICE, message=message)
        report = Report(task=attempt.task, state=State.FAILED, at=at.timestamp(), failure=failure)
        if all(self._telling.tell([(report, attempt.reply_to or "")])):
            with session(self._engine) as registry:
                record_action(registry, attempt.submitter, attempt.task, Action.FAILED, message, at)


def _by_device(attempts: Iterable[Running]) -> dict[str, list[Running]]:
    devices: defaultdict[str, list[Running]] = defaultdict(list)
    for attempt in attempts:
        devices[attempt.device].append(attempt)
    return devices
