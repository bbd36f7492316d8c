"""Brings a device into a state: at the registry, by an order, and at the broker, which makes it true."""

import logging
import time

from sqlalchemy import Engine

from broker_config import names
from broker_config.address import user_of, vhost_of
from broker_config.enforce import expel, narrow, restore
from broker_config.link import Link
from broker_config.management import Management
from registry.database import session
from registry.deployments import deployments_of
from registry.device_state import DeviceState
from registry.states import set_state
from tasks.order import Duty, Order, order_publication

log = logging.getLogger(__name__)

_OPEN_TIMEOUT = 10.0
_LOOK = 0.2


class Enforcement:
    """Brings devices into states, one after the other.

    Every method raises :class:`RegistryError` where the registry has no such device or the state may not follow,
    and :class:`BrokerError` where the broker could not be reached or refused; the registry then knows the new state
    already, and doing it again is harmless.

    Args:
        engine: the registry's.
        management: the broker's management API, as a user that may change users.
        url: the broker's address, as the platform.
    """

    def __init__(self, engine: Engine, management: Management, url: str) -> None:
        self._engine = engine
        self._management = management
        self._url = url
        self._vhost = vhost_of(url)

    def deactivate(self, device: str, reason: str, grace: float) -> None:
        """Take a device out of work. It is told first, and has ``grace`` seconds to end what it runs."""
        self._enter(device, DeviceState.INACTIVE, reason)
        self._tell(device, Duty.REST)
        self._wait_until_out(device, grace)
        narrow(self._management, device, self._vhost)
        log.info("device.deactivated", extra={"device": device, "reason": reason})

    def activate(self, device: str, reason: str) -> None:
        """Let a device work again; it comes by itself."""
        with session(self._engine) as registry:
            deployments = deployments_of(registry, device)
            queues = [queue for found in deployments for queue in names.task_queues(found.tier, found.model)]
            set_state(registry, device, DeviceState.ACTIVE, reason)
        restore(self._management, device, queues, self._vhost)
        self._tell(device, Duty.SERVE)
        log.info("device.activated", extra={"device": device, "reason": reason})

    def blacklist(self, device: str, reason: str) -> None:
        """Shut a device out, at once: what it held goes to others, and it cannot connect any more."""
        self._enter(device, DeviceState.BLACKLISTED, reason)
        expel(self._management, device)
        log.warning("device.blacklisted", extra={"device": device, "reason": reason})

    def _enter(self, device: str, state: DeviceState, reason: str) -> None:
        with session(self._engine) as registry:
            set_state(registry, device, state, reason)

    def _tell(self, device: str, duty: Duty) -> None:
        link = Link(self._url, "platform orders")
        link.open(_OPEN_TIMEOUT)
        try:
            order = order_publication(device, Order(duty=duty), user_of(self._url))
            link.publish(order).result(_OPEN_TIMEOUT)
        finally:
            link.close()

    def _wait_until_out(self, device: str, grace: float) -> None:
        """Wait until the device consumes no task queue and holds nothing, as the broker sees it."""
        until = time.monotonic() + grace
        while time.monotonic() < until and self._is_at_work(device):
            time.sleep(_LOOK)

    def _is_at_work(self, device: str) -> bool:
        control = names.device_queue(device)
        if any(
            (found["channel_details"] or {}).get("user") == device and found["queue"]["name"] != control
            for found in self._management.consumers(self._vhost)
        ):
            return True
        return any(
            channel.get("user") == device and channel.get("messages_unacknowledged", 0)
            for page in range(1, self._management.channel_pages() + 1)
            for channel in self._management.channels(self._vhost, page)
        )
