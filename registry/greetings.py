"""Devices that say that they are here, or that they go by their owners' choice."""

from datetime import datetime

from sqlmodel import Session

from registry.device_state import DeviceState
from registry.devices import find_device
from registry.failures import locked_health
from registry.health_state import Condition
from registry.states import set_state


def come(session: Session, device: str, at: datetime) -> tuple[DeviceState, bool]:
    """Write down that a device said that it is here, so that a check of it is due.

    One that was offline is inactive then, and as if nobody had asked it yet.

    Returns:
        Its state from now on, and whether it is in the upper band.

    Raises:
        RegistryError: there is no such device.
    """
    # Its row of health before its own, as everybody locks them who needs both.
    health = locked_health(session, device, at)
    if find_device(session, device).state is DeviceState.OFFLINE:
        set_state(session, device, DeviceState.INACTIVE, "it said that it is here", at)
        health.condition, health.failed_check, health.reason = Condition.UNKNOWN, None, None
    health.greeted_at = at
    session.add(health)
    session.flush()
    return find_device(session, device).state, health.sound


def go(session: Session, device: str, reason: str, at: datetime) -> tuple[DeviceState, bool]:
    """Write down that a device goes by its owner's choice; one that is blacklisted stays that.

    Returns:
        Its state from now on, and whether it is in the upper band.

    Raises:
        RegistryError: there is no such device.
    """
    health = locked_health(session, device, at)
    if find_device(session, device).state is not DeviceState.BLACKLISTED:
        set_state(session, device, DeviceState.OFFLINE, reason, at)
    return find_device(session, device).state, health.sound
