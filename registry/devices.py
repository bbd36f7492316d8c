"""Devices: the machines that owners enrolled."""

import secrets

from sqlmodel import Session, col, select

from broker_config import names
from broker_config.regions import Region
from registry.owners import find_owner
from registry.tables import Device
from starai.errors import InvalidName, RegistryError


def new_device_id() -> str:
    """Return an id that no device has."""
    return f"device-{secrets.token_hex(8)}"


def enrol_device(session: Session, device: str, owner: str, region: Region) -> Device:
    """Enrol a device of an owner. One that was enrolled before keeps its place; only its region may change.

    Args:
        session: the transaction.
        device: the device's id; it is also the name of its broker user, so it must be a wire name.
        owner: the owner's name.
        region: where the device stands.

    Raises:
        InvalidName: the id cannot stand on the wire, or is the platform's.
        RegistryError: there is no such owner, or the device is another owner's.
    """
    if names.wire_name(device) != device:
        raise InvalidName(f"{device!r} cannot be a device's id: it has a dot. Use '-' instead.")
    if device == names.PLATFORM:
        raise InvalidName(f"{device!r} is the platform's own broker user: choose another id.")
    owner_id = find_owner(session, owner).id
    assert owner_id is not None  # noqa: S101
    known = session.get(Device, device)
    if known is None:
        known = Device(id=device, owner_id=owner_id, region=region)
    elif known.owner_id != owner_id:
        raise RegistryError(f"Device {device} is enrolled by another owner than {owner!r}. Enrol it under a new id.")
    known.region = region
    session.add(known)
    session.flush()
    return known


def find_device(session: Session, device: str) -> Device:
    """Return the device of that id.

    Raises:
        RegistryError: there is none.
    """
    found = session.get(Device, device)
    if found is None:
        raise RegistryError(f"The registry has no device {device[:63]!r}. Enrol the device first.")
    return found


def enrolled_devices(session: Session) -> list[Device]:
    """Return all devices, by their ids."""
    return list(session.exec(select(Device).order_by(col(Device.id))))
