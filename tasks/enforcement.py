"""Brings devices into states: at the registry, by an order, and at the broker, which makes it true."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

from sqlalchemy import Engine
from sqlmodel import Session

from broker_config import names
from broker_config.address import vhost_of
from broker_config.enforce import narrow, restore
from broker_config.management import Management
from broker_config.roles import device_role
from broker_config.users import give_role
from registry.columns import now
from registry.database import session
from registry.deployments import deployments_of
from registry.device_state import DeviceState
from registry.greetings import go
from registry.health import may_change, release, set_held
from registry.states import set_state
from starai.errors import BrokerError
from tasks.order import Duty, Order
from tasks.ordering import give_orders

log = logging.getLogger(__name__)

_LOOK = 0.2
# A look at a large fleet takes long: this much longer than it is waited until the next one.
_REST = 4
# Devices of one transaction.
_PORTION = 100
# The management API is asked for so many devices at once.
_THREADS = 4


class Enforcement:
    """Brings devices into states.

    The methods for one device raise :class:`RegistryError` where the registry has no such device or the state may not
    follow, and :class:`BrokerError` where the broker could not be reached or refused; the registry then knows the new
    state already, and doing it again is harmless. Those for many leave out whom they cannot serve, and say so in the
    log; they raise these errors only where nobody can be served.

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

    def deactivate(self, device: str, reason: str, grace: float, *, hold: bool = False) -> None:
        """Take a device out of work. It is told first, and has ``grace`` seconds to end what it runs.

        Args:
            device: its id.
            reason: why, for people.
            grace: seconds.
            hold: whether only :meth:`activate` brings it back; otherwise the next check does that finds it well.
        """
        with session(self._engine) as registry:
            if hold:
                set_held(registry, device, True, now())
            set_state(registry, device, DeviceState.INACTIVE, reason)
        self._tell([device], Duty.REST)
        self._wait_until_out({device}, grace)
        narrow(self._management, device, self._vhost)
        log.info("device.deactivated", extra={"device": device, "reason": reason})

    def deactivate_all(self, reasons: Mapping[str, str], grace: float, within: float) -> None:
        """Take devices out of work: all are told first, have ``grace`` seconds together, and are then narrowed.

        Those that are neither active nor inactive by now are left alone.

        Args:
            reasons: why, by device.
            grace: seconds.
            within: seconds for narrowing; who has not had its turn then goes on until this is called again for it.
        """
        devices = [device for portion in _portions(reasons) for device in self._rest(portion, reasons)]
        if devices:
            self._tell(devices, Duty.REST)
            self._wait_until_out(set(devices), grace)
            self._at_broker(devices, lambda device: narrow(self._management, device, self._vhost), within)
            log.info("devices.deactivated", extra={"devices": len(devices)})

    def activate(self, device: str, reason: str) -> None:
        """Let a device work again, whatever kept it out; it comes by itself."""
        with session(self._engine) as registry:
            release(registry, device, now())
            queues = _queues(registry, device)
            set_state(registry, device, DeviceState.ACTIVE, reason)
        restore(self._management, device, queues, self._vhost)
        self._tell([device], Duty.SERVE)
        log.info("device.activated", extra={"device": device, "reason": reason})

    def activate_all(self, reasons: Mapping[str, str], within: float) -> None:
        """Let devices work again; those that are held, quarantined, offline or blacklisted by now are left alone.

        Args:
            reasons: why, by device.
            within: seconds; who has not had its turn then stays as it is.
        """
        until = time.monotonic() + within
        for portion in _portions(reasons):
            if (left := until - time.monotonic()) <= 0:
                log.warning("devices.not_activated", extra={"reason": f"not within {within:g} s"})
                return
            queues = self._serve(portion, reasons)
            done = self._at_broker(list(queues), partial(self._restore, queues), left)
            if done:
                self._tell(done, Duty.SERVE)
                log.info("devices.activated", extra={"devices": len(done)})

    def dismiss(self, device: str, reason: str) -> tuple[DeviceState, bool]:
        """Let a device go whose owner ends it: it may take no more tasks, and disconnects by itself.

        Returns:
            Its state from now on, and whether it is in the upper band.
        """
        with session(self._engine) as registry:
            found = go(registry, device, reason, now())
        if found[0] is DeviceState.OFFLINE:
            give_role(self._management, device, device_role(device, ()), self._vhost)
        log.info("device.left", extra={"device": device, "reason": reason})
        return found

    def _rest(self, portion: Sequence[str], reasons: Mapping[str, str]) -> list[str]:
        with session(self._engine) as registry:
            devices = may_change(registry, portion)
            for device in devices:
                set_state(registry, device, DeviceState.INACTIVE, reasons[device])
        return devices

    def _serve(self, portion: Sequence[str], reasons: Mapping[str, str]) -> dict[str, list[str]]:
        """Return, of those that may work, the queues that they read."""
        with session(self._engine) as registry:
            devices = may_change(registry, portion, serving_at=now())
            for device in devices:
                set_state(registry, device, DeviceState.ACTIVE, reasons[device])
            return {device: _queues(registry, device) for device in devices}

    def _restore(self, queues: Mapping[str, Sequence[str]], device: str) -> None:
        restore(self._management, device, queues[device], self._vhost)

    def _at_broker(self, devices: Sequence[str], change: Callable[[str], None], within: float) -> list[str]:
        """Make a change for each device, several at once, until the time is over; return for whom it was made."""
        until = time.monotonic() + within

        def make(device: str) -> bool:
            if time.monotonic() > until:
                log.warning("device.not_enforced", extra={"device": device, "reason": f"not within {within:g} s"})
                return False
            try:
                change(device)
            except BrokerError as error:
                log.warning("device.not_enforced", extra={"device": device, "reason": str(error)})
                return False
            return True

        with ThreadPoolExecutor(min(_THREADS, len(devices) or 1), "enforcement") as threads:
            return [device for device, made in zip(devices, threads.map(make, devices), strict=True) if made]

    def _tell(self, devices: Sequence[str], duty: Duty) -> None:
        give_orders(self._url, dict.fromkeys(devices, Order(duty=duty)))

    def _wait_until_out(self, devices: set[str], grace: float) -> None:
        """Wait until the devices consume no task queue and hold nothing, as the broker sees it."""
        until = time.monotonic() + grace
        while (begun := time.monotonic()) < until and self._is_at_work(devices):
            pause = max(_LOOK, _REST * (time.monotonic() - begun))
            time.sleep(max(min(pause, until - time.monotonic()), 0.0))

    def _is_at_work(self, devices: set[str]) -> bool:
        for found in self._management.consumers(self._vhost):
            user = (found["channel_details"] or {}).get("user")
            if user in devices and found["queue"]["name"] != names.device_queue(user):
                return True
        return any(
            channel.get("user") in devices and channel.get("messages_unacknowledged", 0)
            for page in range(1, self._management.channel_pages() + 1)
            for channel in self._management.channels(self._vhost, page)
        )


def _queues(registry: Session, device: str) -> list[str]:
    return [queue for found in deployments_of(registry, device) for queue in names.task_queues(found.tier, found.model)]


def _portions(devices: Mapping[str, str]) -> Iterator[list[str]]:
    left = iter(devices)
    while portion := list(islice(left, _PORTION)):
        yield portion
