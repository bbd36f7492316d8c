"""Moves a device to another owner."""

from datetime import datetime

from sqlmodel import Session

from registry.devices import find_device
from registry.events import record_event
from registry.owners import find_owner
from registry.tables import Device, EventKind, Owner


def transfer_device(session: Session, device: str, owner: str, reason: str, at: datetime | None = None) -> Device:
    """Make the device another owner's; its history says from whom to whom. To the owner it has, nothing changes.

    Raises:
        RegistryError: there is no such device or owner.
    """
    found, new = find_device(session, device), find_owner(session, owner)
    if found.owner_id == new.id:
        return found
    old = session.get_one(Owner, found.owner_id)
    assert new.id is not None  # noqa: S101
    found.owner_id = new.id
    session.add(found)
    record_event(session, device, EventKind.TRANSFERRED, f"from {old.name} to {new.name}: {reason}", at)
    return found
