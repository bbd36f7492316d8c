"""The blacklist: devices that are shut out, why, until when, and how they come back."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from registry.device_state import DeviceState
from registry.devices import find_device
from registry.events import as_data, record_event
from registry.failures import locked_health
from registry.health_tables import BlacklistEntry
from registry.states import set_state
from registry.tables import DeviceEvent, EventKind, Owner
from starai.errors import RegistryError

# Events that are kept as evidence, the newest first.
_MOST_EVIDENCE = 50
_REASON_LENGTH = 500


@dataclass(frozen=True)
class Login:
    """What the broker keeps of a user's password: a salted hash, and how it was made."""

    hash: str = field(repr=False)
    hashing: str


@dataclass(frozen=True)
class Listed:
    """An entry and the name of the owner whose the device was."""

    entry: BlacklistEntry
    owner: str


def enter(session: Session, device: str, reason: str, until: datetime | None, at: datetime) -> BlacklistEntry:
    """Write a device onto the blacklist, with what cost it trust as evidence. If it is on it, the last word counts.

    Args:
        session: the transaction; until it ends nobody changes the device's standing or state.
        device: its id.
        reason: why, for people; what is beyond 500 characters is cut.
        until: when it may come back; ``None``: not by itself.
        at: the present.

    Raises:
        RegistryError: there is no such device.
    """
    locked_health(session, device, at)
    entry = open_entry(session, device)
    if entry is None:
        found = find_device(session, device)
        evidence = json.dumps(_evidence(session, device))
        entry = BlacklistEntry(device_id=device, owner_id=found.owner_id, reason=reason, evidence=evidence, since=at)
        entry.hardware_id = found.hardware_id
    entry.reason, entry.until = reason[:_REASON_LENGTH], until
    session.add(entry)
    set_state(session, device, DeviceState.BLACKLISTED, reason, at)
    session.flush()
    return entry


def lift(session: Session, device: str, reason: str, probation: float, at: datetime) -> Login | None:
    """Take a device off the blacklist: it is inactive, in the lower band, and trusted no more than ``probation``.

    Returns:
        The login that its broker user had, which is forgotten here; ``None`` where none was kept.

    Raises:
        RegistryError: there is no such device, or it is not blacklisted.
    """
    health = locked_health(session, device, at)
    if find_device(session, device).state is not DeviceState.BLACKLISTED:
        raise RegistryError(f"Device {device} is not on the blacklist: `starai blacklist` lists it.")
    login = _close(session, device, reason, at)
    set_state(session, device, DeviceState.INACTIVE, f"it was taken off the blacklist: {reason}", at)
    record_event(session, device, EventKind.LIFTED, reason, at)
    health.trust, health.trusted_at, health.sound = probation, at, False
    health.failures = health.silences = 0
    health.quarantined_until = None
    session.add(health)
    session.flush()
    return login


def keep_login(session: Session, entry: BlacklistEntry, login: Login | None) -> None:
    """Keep what lets the device log in once it is lifted; what is kept already stays."""
    if login is not None and entry.password_hash is None:
        entry.password_hash, entry.hashing = login.hash, login.hashing
        session.add(entry)
        session.flush()


def open_entry(session: Session, device: str) -> BlacklistEntry | None:
    """Return the entry by which a device is shut out now, or ``None``."""
    return session.exec(_open().where(BlacklistEntry.device_id == device)).first()


def open_devices(session: Session) -> set[str]:
    """Return the devices that are shut out now."""
    return {entry.device_id for entry in session.exec(_open())}


def overdue(session: Session, at: datetime) -> list[str]:
    """Return the devices that are shut out and whose time is over, the earliest first."""
    over = _open().where(col(BlacklistEntry.until) <= at).order_by(col(BlacklistEntry.until))
    return [entry.device_id for entry in session.exec(over)]


def entry_for_hardware(session: Session, hardware_id: str | None) -> BlacklistEntry | None:
    """Return the entry that shuts this hardware out longest, or ``None``."""
    if hardware_id is None:
        return None
    found = session.exec(_open().where(BlacklistEntry.hardware_id == hardware_id)).all()
    return max(found, key=lambda entry: (entry.until is None, entry.until or entry.since), default=None)


def has_open_entry(session: Session, owner: int) -> bool:
    """Tell whether a device is shut out that was this owner's then."""
    return session.exec(_open().where(BlacklistEntry.owner_id == owner)).first() is not None


def entries(session: Session, *, lifted: bool = False) -> list[Listed]:
    """Return the entries by which devices are shut out now, the newest first; with ``lifted`` also those of before."""
    wanted = select(BlacklistEntry, Owner.name).join(Owner, col(Owner.id) == col(BlacklistEntry.owner_id))
    if not lifted:
        wanted = wanted.where(col(BlacklistEntry.lifted_at).is_(None))
    newest_first = (col(BlacklistEntry.since).desc(), col(BlacklistEntry.id).desc())
    return [Listed(entry, owner) for entry, owner in session.exec(wanted.order_by(*newest_first))]


def _open() -> SelectOfScalar[BlacklistEntry]:
    return select(BlacklistEntry).where(col(BlacklistEntry.lifted_at).is_(None))


def _close(session: Session, device: str, reason: str, at: datetime) -> Login | None:
    entry = open_entry(session, device)
    if entry is None:
        return None
    login = Login(entry.password_hash, entry.hashing) if entry.password_hash and entry.hashing else None
    entry.lifted_at, entry.lifted = at, reason[:_REASON_LENGTH]
    entry.password_hash = entry.hashing = None
    session.add(entry)
    session.flush()
    return login


def _evidence(session: Session, device: str) -> list[dict[str, Any]]:
    """Return what cost the device trust since it was last let back, the newest first, as JSON can say it."""
    mine = select(DeviceEvent).where(DeviceEvent.device_id == device)
    lifted = session.exec(mine.where(DeviceEvent.kind == EventKind.LIFTED).order_by(col(DeviceEvent.id).desc())).first()
    costly = mine.where(col(DeviceEvent.cost).is_not(None), col(DeviceEvent.id) > (lifted.id if lifted else 0))
    found = session.exec(costly.order_by(col(DeviceEvent.id).desc()).limit(_MOST_EVIDENCE))
    return [as_data(event) for event in found]
