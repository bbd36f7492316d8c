"""The public keys of devices: by its signing key a device is known."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from registry.columns import now
from registry.devices import find_device
from registry.events import record_event
from registry.tables import Device, DeviceKey, EventKind
from starai.errors import RegistryError

# For so long a device that signs with a key that it gave up is known by it.
_REMEMBERED = timedelta(days=7)


class KeyRetired(RegistryError):
    """A signing key that its device has given up for a newer one."""


class KeyTaken(RegistryError):
    """A signing key that cannot be this device's: another has or had it, or it is one that the device gave up."""


class KeyUnknown(RegistryError):
    """A signing key that is not the device's."""


def device_by_key(session: Session, signing: bytes) -> Device | None:
    """Return the device whose signing key that is, or ``None`` if it never was any device's.

    Raises:
        KeyRetired: the device has given the key up.
    """
    found = _find(session, signing)
    if found is None:
        return None
    if found.until is not None:
        raise KeyRetired(f"Device {found.device_id} has given this key up: join with its present keys.")
    return find_device(session, found.device_id)


def current_key(session: Session, device: str) -> DeviceKey | None:
    """Return the keys in use of a device, or ``None`` if it has none.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    return session.exec(
        select(DeviceKey).where(DeviceKey.device_id == device, col(DeviceKey.until).is_(None))
    ).one_or_none()


def changed_keys(session: Session, at: datetime) -> dict[str, dict[bytes, float]]:
    """Return, by device, the signing keys of the last week's changes, and for each how many seconds ago it changed."""
    since = at - _REMEMBERED
    given_up = select(DeviceKey.device_id).where(col(DeviceKey.until) >= since)
    found = select(DeviceKey).where(
        col(DeviceKey.device_id).in_(given_up), or_(col(DeviceKey.until).is_(None), col(DeviceKey.until) >= since)
    )
    changed: defaultdict[str, dict[bytes, float]] = defaultdict(dict)
    for key in session.exec(found):
        changed[key.device_id][key.signing] = (at - (key.until or key.since)).total_seconds()
    return dict(changed)


def add_key(session: Session, device: str, signing: bytes, sealing: bytes, at: datetime | None = None) -> DeviceKey:
    """Give a device its first keys; the same signing key again may bring another sealing key.

    Raises:
        RegistryError: there is no such device, or it has another signing key: rotate that.
        KeyTaken: another device has or had the signing key.
    """
    known = current_key(session, device)
    if known is None:
        return _insert(session, DeviceKey(device_id=device, signing=signing, sealing=sealing, since=at or now()))
    if known.signing != signing:
        raise RegistryError(f"Device {device} has another signing key: rotate it.")
    known.sealing = sealing
    session.add(known)
    session.flush()
    return known


def rotate(
    session: Session, device: str, old: bytes, signing: bytes, sealing: bytes, at: datetime | None = None
) -> DeviceKey:
    """Let new keys follow the device's old ones; asked again, it changes nothing. Who asks must have proven both.

    Raises:
        RegistryError: there is no such device.
        KeyUnknown: ``old`` is not the device's key in use.
        KeyTaken: the new signing key is or was in use.
    """
    find_device(session, device)
    session.get_one(Device, device, with_for_update=True, populate_existing=True)
    known = current_key(session, device)
    if known is not None and known.signing == signing:
        return known
    if known is None or known.signing != old:
        raise KeyUnknown(f"That is not the key in use of device {device}.")
    moment = at or now()
    fresh = _insert(session, DeviceKey(device_id=device, signing=signing, sealing=sealing, since=moment))
    known.until = moment
    session.add(known)
    record_event(session, device, EventKind.KEY_ROTATED, "the device asked for it", moment)
    return fresh


def _find(session: Session, signing: bytes) -> DeviceKey | None:
    return session.exec(select(DeviceKey).where(DeviceKey.signing == signing)).one_or_none()


def _insert(session: Session, key: DeviceKey) -> DeviceKey:
    try:
        # A savepoint: the same key may be given to another device at this moment.
        with session.begin_nested():
            session.add(key)
    except IntegrityError as error:
        raise KeyTaken("That signing key is or was in use: make new keys.") from error
    return key
