"""Looks at how devices conduct themselves at the broker, and writes down what is wrong as failures of theirs."""

import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine

from broker_config import names
from broker_config.audit import Allowance, Finding, audit
from broker_config.errors import NotAtBroker
from broker_config.management import Management
from broker_config.sample import sample
from registry.columns import now
from registry.database import reading, session
from registry.failures import count_failure
from registry.standing_rule import StandingSettings
from registry.tables import EventKind
from tasks.allowances import allowances

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
        standing: what a failure costs.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        vhost: str = names.VHOST,
        wait: Callable[[float], None] = time.sleep,
        standing: StandingSettings | None = None,
    ) -> None:
        self._engine = engine
        self._management = management
        self._vhost = vhost
        self._wait = wait
        self._standing = standing or StandingSettings()

    def audit_all(self) -> list[Finding]:
        """Look at every queue and every channel, and return what two looks in a row found, which is recorded.

        Raises:
            RegistryError: the registry could not be reached, or refused.
            BrokerError: the management API could not be reached, or refused.
        """
        with reading(self._engine) as registry:
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
                count_failure(registry, finding.device, EventKind.FAILED_AUDIT, reason, now(), settings=self._standing)
                log.warning("device.failed_audit", extra={"device": finding.device, "reason": reason})
