"""The history of a device: what happened to it, when and why."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from registry.columns import now
from registry.devices import find_device
from registry.tables import DeviceEvent, EventKind


def record_event(
    session: Session,
    device: str,
    kind: EventKind,
    reason: str,
    at: datetime | None = None,
    trust: float | None = None,
) -> None:
    """Add to the history of a device, with what it was trusted then where that matters; a long reason is cut.

    Raises:
        RegistryError: there is no such device.
    """
    owner = find_device(session, device).owner_id
    event = DeviceEvent(device_id=device, at=at or now(), kind=kind, reason=reason[:500], owner_id=owner, trust=trust)
    session.add(event)
    session.flush()


def events_of(session: Session, device: str) -> list[DeviceEvent]:
    """Return the history of a device, the oldest first.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    oldest_first = (col(DeviceEvent.at), col(DeviceEvent.id))
    return list(session.exec(select(DeviceEvent).where(DeviceEvent.device_id == device).order_by(*oldest_first)))


def as_data(event: DeviceEvent) -> dict[str, Any]:
    """Return what an event says as JSON can say it; of what it cost and why, not of the figures."""
    return {
        "at": event.at.isoformat(),
        "kind": event.kind,
        "reason": event.reason,
        "check": event.failed_check,
        "cycle": event.cycle,
        "cost": event.cost,
        "trust": event.trust,
    }
