"""Moves devices between their states, with a reason and into their history."""

from datetime import datetime

from sqlmodel import Session, col, select

from registry.device_state import FOLLOWING, DeviceState
from registry.devices import find_device
from registry.events import record_event
from registry.health_tables import BlacklistEntry
from registry.tables import Device, EventKind
from starai.errors import RegistryError


def set_state(session: Session, device: str, state: DeviceState, reason: str, at: datetime | None = None) -> bool:
    """Bring the device into a state; return whether it was in another one. Others wait until this transaction ends.

    Raises:
        RegistryError: there is no such device, or that state may not follow its present one, which of one that is on
            the blacklist none may.
    """
    find_device(session, device)
    found = session.get_one(Device, device, with_for_update=True, populate_existing=True)
    if found.state is state:
        return False
    if state not in FOLLOWING[found.state]:
        allowed = ", ".join(sorted(FOLLOWING[found.state]))
        raise RegistryError(f"Device {device} is {found.state} and cannot become {state}, only: {allowed}.")
    if found.state is DeviceState.BLACKLISTED and _is_shut_out(session, device):
        raise RegistryError(f"Device {device} is on the blacklist: take it off by `starai blacklist remove {device}`.")
    found.state = state
    session.add(found)
    record_event(session, device, EventKind(state), reason, at)
    return True


def _is_shut_out(session: Session, device: str) -> bool:
    shut_out = (BlacklistEntry.device_id == device, col(BlacklistEntry.lifted_at).is_(None))
    return session.exec(select(BlacklistEntry.id).where(*shut_out)).first() is not None
