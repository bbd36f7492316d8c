"""How a device stands with the network, and why: what its owner and its operator may know of that."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from registry.blacklist import open_entry
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.health_tables import DeviceHealth
from registry.standing_rule import StandingSettings, trust_now
from registry.tables import Device, DeviceEvent, EventKind, Owner

# The states that a device comes into are kinds of events as well.
_STATES = tuple(EventKind(state) for state in DeviceState)


@dataclass(frozen=True)
class DeviceStanding:
    """How a device stands.

    Attributes:
        since: when it came into its state, where that was written down.
        health: as it was last found, which may be never.
        trust: from 0.0 to 1.0, now.
        blacklisted_until: when it may come back, where it is on the blacklist for a time.
        events: the newest first.
    """

    device: Device
    owner: str
    since: datetime | None
    health: DeviceHealth
    trust: float
    blacklisted_until: datetime | None
    events: tuple[DeviceEvent, ...]


def standing_of(
    session: Session, device: str, at: datetime, settings: StandingSettings, events: int = 20
) -> DeviceStanding:
    """Return how a device stands, with so many events at most; those that cost it trust before all others.

    Raises:
        RegistryError: there is no such device.
    """
    found = find_device(session, device)
    health = session.get(DeviceHealth, device) or DeviceHealth(device_id=device, trusted_at=at)
    entry = open_entry(session, device)
    return DeviceStanding(
        device=found,
        owner=session.get_one(Owner, found.owner_id).name,
        since=_since(session, found),
        health=health,
        trust=trust_now(health.trust, health.trusted_at, at, settings),
        blacklisted_until=entry.until if entry else None,
        events=tuple(_events(session, device, events)),
    )


def _since(session: Session, device: Device) -> datetime | None:
    came = select(DeviceEvent.at).where(DeviceEvent.device_id == device.id, DeviceEvent.kind == EventKind(device.state))
    return session.exec(came.order_by(col(DeviceEvent.at).desc())).first()


def _events(session: Session, device: str, count: int) -> list[DeviceEvent]:
    mine = select(DeviceEvent).where(DeviceEvent.device_id == device)
    costly_first = (col(DeviceEvent.cost).is_(None), col(DeviceEvent.at).desc(), col(DeviceEvent.id).desc())
    found = session.exec(mine.order_by(*costly_first).limit(count))
    return sorted(found, key=lambda event: (event.at, event.id or 0), reverse=True)
