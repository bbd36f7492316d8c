"""Looks at how devices conduct themselves at the broker, and writes down what is wrong as failures of theirs."""

import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlmodel import Session

from broker_config import names
from broker_config.audit import Allowance, Finding, audit
from broker_config.errors import NotAtBroker
from broker_config.management import Management
from broker_config.sample import sample
from registry.database import session
from registry.deployments import deployments_of
from registry.device_state import DeviceState
from registry.devices import enrolled_devices
from registry.events import record_event
from registry.tables import Device, EventKind

log = logging.getLogger(__name__)

#: Seconds between two looks at the same: the broker renews its figures every five.
APART = 6.0


class Conduct:
    """Looks at all devices, a part at a time.

    Args:
        engine: the registry's.
        management: the broker's management API.
        vhost: the network's virtual host.
        wait: waits so many seconds.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        vhost: str = names.VHOST,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._management = management
        self._vhost = vhost
        self._wait = wait

    def audit_all(self) -> list[Finding]:
        """Look at every queue and every channel, and return what two looks in a row found, which is recorded.

        Raises:
            RegistryError: the registry could not be reached, or refused.
            BrokerError: the management API could not be reached, or refused.
        """
        with session(self._engine) as registry:
            allowed = allowances(registry)
        queues = sorted({queue for allowance in allowed.values() for queue in allowance.queues})
        turns = max(len(queues), self._management.channel_pages())
        found = self._look(queues, turns, allowed)
        if found:
            self._wait(APART)
            again = set(self._look(queues, turns, allowed))
            found = [finding for finding in found if finding in again]
        self._record(found)
        return found

    def _look(self, queues: list[str], turns: int, allowed: dict[str, Allowance]) -> list[Finding]:
        found: dict[Finding, None] = {}
        for turn in range(turns if queues else 0):
            try:
                seen = sample(self._management, queues, turn, self._vhost)
            except NotAtBroker:  # the queue has gone meanwhile
                continue
            found |= dict.fromkeys(audit(seen.consumers, seen.channels, allowed))
        return list(found)

    def _record(self, found: list[Finding]) -> None:
        with session(self._engine) as registry:
            for finding in found:
                reason = f"it {finding.kind}: {finding.detail}"
                record_event(registry, finding.device, EventKind.FAILED_AUDIT, reason)
                log.warning("device.failed_audit", extra={"device": finding.device, "reason": reason})


def allowances(registry: Session) -> dict[str, Allowance]:
    """Return what each enrolled device may show at the broker."""
    return {device.id: _allowance(registry, device) for device in enrolled_devices(registry)}


def _allowance(registry: Session, device: Device) -> Allowance:
    deployments = deployments_of(registry, device.id)
    queues = [queue for found in deployments for queue in names.task_queues(found.tier, found.model)]
    active = device.state is DeviceState.ACTIVE
    return Allowance(frozenset(queues if active else ()), slots=sum(found.slots for found in deployments))
