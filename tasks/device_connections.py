"""Which of a device's connections bring it tasks, and when each began, as far as the broker tells."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from broker_config import names
from broker_config.errors import NotAtBroker
from broker_config.management import Management
from tasks.lease_rule import are_called, began, for_results


class DeviceConnections:
    """Asks the broker about connections.

    Args:
        management: the broker's management API.
        vhost: the network's virtual host.
    """

    def __init__(self, management: Management, vhost: str = names.VHOST) -> None:
        self._management = management
        self._vhost = vhost

    def for_tasks(self, device: str) -> dict[str, datetime | None]:
        """Return all but those for what it says, even if then none is left.

        Raises:
            BrokerError: the broker could not be reached, or refused.
        """
        connections = self._management.connections_of(device)
        return began(connections, self._for_results(device, connections))

    def that_may_hold(self, device: str) -> dict[str, datetime | None]:
        """Return those that may hold tasks: those for what it says are among them if they do hold something.

        So a device that takes tasks by these gains nothing, nor does one for which all are for what it says.

        Raises:
            BrokerError: the broker could not be reached, or refused.
        """
        connections = self._management.connections_of(device)
        for_results = self._for_results(device, connections)
        idle = {name for name in for_results if not self._management.held_by(name)}
        return began(connections, idle) or began(connections)

    def _for_results(self, device: str, connections: Sequence[Mapping[str, Any]]) -> set[str]:
        return for_results(device, connections, set() if are_called(connections) else self._hearing(device))

    def _hearing(self, device: str) -> set[str]:
        try:
            return self._management.readers(self._vhost, names.device_queue(device))
        except NotAtBroker:  # it has no control queue any more
            return set()
