"""Moves devices between their states, with a reason and into their history."""

from datetime import datetime

from sqlmodel import Session

from registry.device_state import FOLLOWING, DeviceState
from registry.devices import find_device
from registry.events import record_event
from registry.tables import Device, EventKind
from starai.errors import RegistryError


def set_state(session: Session, device: str, state: DeviceState, reason: str, at: datetime | None = None) -> bool:
    """Bring the device into a state; return whether it was in another one. Others wait until this transaction ends.

    Raises:
        RegistryError: there is no such device, or that state may not follow its present one.
    """
    find_device(session, device)
    found = session.get_one(Device, device, with_for_update=True, populate_existing=True)
    if found.state is state:
        return False
    if state not in FOLLOWING[found.state]:
        allowed = ", ".join(sorted(FOLLOWING[found.state]))
        raise RegistryError(f"Device {device} is {found.state} and cannot become {state}, only: {allowed}.")
    found.state = state
    session.add(found)
    record_event(session, device, EventKind(state), reason, at)
    return True
