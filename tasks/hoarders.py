"""Takes tasks from devices that hold them and do nothing, as far as anybody hears."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine

from broker_config.errors import NotAtBroker
from broker_config.management import Management
from registry.columns import now
from registry.database import reading, session
from registry.devices import enrolled_devices
from registry.failures import count_failure
from registry.standing_rule import StandingSettings
from registry.sweeping import hoarded_since, last_heard
from registry.tables import EventKind
from tasks.enforcement import Enforcement
from tasks.hoarding_rule import held_by, holding_since, suspects
from tasks.inference import LEASE

log = logging.getLogger(__name__)

#: Seconds beyond a lease after which a device that holds tasks has to have been heard of.
MARGIN = 5.0
#: Seconds within which a device that hoards once more is taken out of work.
REPEATED = 3600.0


class Hoarders:
    """Watches what devices hold.

    Args:
        engine: the registry's.
        management: the broker's management API.
        vhost: the network's virtual host.
        enforcement: takes devices out of work.
        patience: seconds that a device may hold tasks without being heard of.
        standing: what it costs a device; by default the environment's.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        vhost: str,
        enforcement: Enforcement,
        patience: float = LEASE + MARGIN,
        standing: StandingSettings | None = None,
    ) -> None:
        self._engine = engine
        self._management = management
        self._vhost = vhost
        self._enforcement = enforcement
        self._patience = patience
        self._standing = standing or StandingSettings()
        self._since: dict[str, datetime] = {}

    def end(self) -> None:
        """Close the connections of hoarders and write that down; who does it again goes out of work.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the broker could not be reached, or refused.
        """
        at = now()
        held = self._look()
        self._since = holding_since(self._since, held, at)
        if not (found := suspects(self._since, self._patience, at)):
            return
        with reading(self._engine) as registry:
            heard = last_heard(registry, found, min(self._since[device] for device in found))
        for device in found:
            if device in heard and heard[device] >= self._since[device]:
                self._since[device] = min(heard[device], at)
            else:
                self._end(device, held[device], at)

    def _look(self) -> dict[str, set[str]]:
        with reading(self._engine) as registry:
            devices = [device.id for device in enrolled_devices(registry)]
        pages = range(1, self._management.channel_pages() + 1)
        return held_by((c for page in pages for c in self._management.channels(self._vhost, page)), devices)

    def _end(self, device: str, connections: set[str], at: datetime) -> None:
        reason = f"it held tasks for {(at - self._since[device]).total_seconds():.0f} s, and nothing was heard of them"
        with session(self._engine) as registry:
            again = hoarded_since(registry, device, at - timedelta(seconds=REPEATED))
            count_failure(registry, device, EventKind.HOARDED, reason, at, settings=self._standing)
        log.warning("device.hoarded", extra={"device": device, "again": again})
        for connection in connections:
            self._close(connection, device)
        del self._since[device]
        if again:
            self._enforcement.deactivate(device, f"{reason}, not for the first time", grace=0)

    def _close(self, connection: str, device: str) -> None:
        try:
            self._management.close_connection(connection, "tasks are held, and nothing is heard of them")
        except NotAtBroker:  # it has ended by itself
            log.info("connection.ended", extra={"device": device})
