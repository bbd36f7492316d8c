"""What the pages and the metrics look at: the registry, and what the broker's management API says of the devices."""

import logging
from dataclasses import dataclass

from sqlalchemy import Engine

from broker_config.errors import BrokerError
from broker_config.management import Management
from tasks.presence import held_by_users

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sight:
    """The network, to be looked at only."""

    engine: Engine
    management: Management
    vhost: str

    def held(self) -> dict[str, int] | None:
        """Return how many messages each connected user holds, or nothing while the broker does not say."""
        try:
            return held_by_users(self.management, self.vhost)
        except BrokerError as error:  # what the registry knows is worth showing without
            log.warning("fleet.unseen", extra={"reason": str(error)})
            return None
