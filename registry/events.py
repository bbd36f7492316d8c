"""The history of a device: what happened to it, when and why."""

from datetime import datetime

from sqlmodel import Session, col, select

from registry.columns import now
from registry.devices import find_device
from registry.tables import DeviceEvent, EventKind


def record_event(session: Session, device: str, kind: EventKind, reason: str, at: datetime | None = None) -> None:
    """Add to the history of a device; a reason beyond 500 characters is cut.

    Raises:
        RegistryError: there is no such device.
    """
    owner = find_device(session, device).owner_id
    session.add(DeviceEvent(device_id=device, at=at or now(), kind=kind, reason=reason[:500], owner_id=owner))
    session.flush()


def events_of(session: Session, device: str) -> list[DeviceEvent]:
    """Return the history of a device, the oldest first.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    oldest_first = (col(DeviceEvent.at), col(DeviceEvent.id))
    return list(session.exec(select(DeviceEvent).where(DeviceEvent.device_id == device).order_by(*oldest_first)))
