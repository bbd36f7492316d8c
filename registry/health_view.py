"""How the fleet is, for those who operate it: each device with its health and its trust now, and the last cycles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import defer
from sqlmodel import Session, case, col, func, select

from registry.device_state import DeviceState
from registry.devices import find_device
from registry.health_state import Condition
from registry.health_tables import BlacklistEntry, DeviceHealth, HealthCycle
from registry.standing_rule import StandingSettings, trust_now
from registry.tables import Deployment, Device, Measurement, Owner


@dataclass(frozen=True)
class HealthOverview:
    """How a device is, and how far it is trusted now.

    Attributes:
        owner: its owner's name.
        health: as the last cycle left it; what every device begins with where none has seen it. In lists it comes
            without its ``figures``.
        blacklisted: the entry that shuts it out, if one does.
        at: for when that is told, and ``trust`` what it was trusted then.
        provider: the execution provider that it measured last; ``None`` where it never measured.
    """

    device: Device
    owner: str
    health: DeviceHealth
    blacklisted: BlacklistEntry | None
    at: datetime
    trust: float
    provider: str | None = None

    @property
    def quarantined(self) -> bool:
        """Whether it is kept out of work for a time that is not over."""
        return self.health.quarantined_until is not None and self.health.quarantined_until > self.at


@dataclass(frozen=True)
class FleetSummary:
    """The fleet in figures: how many devices are in each state, how each last check came out, and who is kept idle."""

    states: dict[DeviceState, int]
    conditions: dict[Condition, int]
    demoted: int
    quarantined: int
    held: int
    paused: int

    @property
    def devices(self) -> int:
        """How many there are in all."""
        return sum(self.states.values())


@dataclass(frozen=True)
class CyclesOverview:
    """How the health cycle goes.

    Attributes:
        last: the newest that ended, if one ever did.
        outage_since: when the first of the outages began that last up to now; ``None`` while there is none.
    """

    last: HealthCycle | None = None
    outage_since: datetime | None = None


def fleet_health(session: Session, at: datetime, settings: StandingSettings) -> list[HealthOverview]:
    """Return all devices with their health and what they are trusted at that time, by their ids. Two queries."""
    owned = select(Device, Owner.name, DeviceHealth, _PROVIDER).join(Owner, col(Device.owner_id) == Owner.id)
    known = owned.outerjoin(DeviceHealth, col(DeviceHealth.device_id) == col(Device.id))
    # What devices say of themselves may be kilobytes each.
    rows = session.exec(known.options(defer(DeviceHealth.figures)).order_by(col(Device.id)))  # type: ignore[arg-type]
    entries = _entries(session)
    return [
        _overview(device, owner, health, entries.get(device.id), at, settings, provider)
        for device, owner, health, provider in rows
    ]


def device_health(session: Session, device: str, at: datetime, settings: StandingSettings) -> HealthOverview:
    """Return one device with its health, its figures as well.

    Raises:
        RegistryError: there is no such device.
    """
    found = find_device(session, device)
    owner, health = session.get_one(Owner, found.owner_id).name, session.get(DeviceHealth, device)
    provider = session.exec(select(_PROVIDER).where(Device.id == device)).one()
    return _overview(found, owner, health, _entries(session, device).get(device), at, settings, provider)


def summary_of(fleet: Iterable[HealthOverview]) -> FleetSummary:
    """Sum a fleet up. Blacklisted devices and those whose owner switched them off are counted by their state alone."""
    states, conditions = dict.fromkeys(DeviceState, 0), dict.fromkeys(Condition, 0)
    demoted = quarantined = held = paused = 0
    for found in fleet:
        states[found.device.state] += 1
        if found.device.state in _CHECKED:
            conditions[found.health.condition] += 1
            demoted += not found.health.sound
            quarantined += found.quarantined
            held += found.health.held
            paused += found.health.paused is not None
    return FleetSummary(states, conditions, demoted, quarantined, held, paused)


def unserved_models(session: Session) -> list[str]:
    """Return the models that enrolled devices host and no active one of them does, by name."""
    is_active = case((col(Device.state) == DeviceState.ACTIVE, 1), else_=0)
    hosted = select(Deployment.model).join(Device, col(Device.id) == col(Deployment.device_id))
    return list(
        session.exec(hosted.group_by(Deployment.model).having(func.sum(is_active) == 0).order_by(Deployment.model))
    )


def last_cycles(session: Session, limit: int) -> list[HealthCycle]:
    """Return the last cycles, the newest first; the first may be under way, others without an end were broken off."""
    return list(session.exec(select(HealthCycle).order_by(col(HealthCycle.id).desc()).limit(limit)))


def cycles_overview(session: Session) -> CyclesOverview:
    """Return how the health cycle goes. Three queries at most."""
    ended = select(HealthCycle).where(col(HealthCycle.ended_at).is_not(None)).order_by(col(HealthCycle.id).desc())
    last = session.exec(ended.limit(1)).first()
    if last is None or last.outage is None:
        return CyclesOverview(last)
    sound = select(func.max(col(HealthCycle.id))).where(
        col(HealthCycle.ended_at).is_not(None), col(HealthCycle.outage).is_(None)
    )
    began = select(func.min(col(HealthCycle.began_at))).where(
        col(HealthCycle.id) > (session.exec(sound).one() or 0), col(HealthCycle.outage).is_not(None)
    )
    return CyclesOverview(last, session.exec(began).one())


#: The states in which the health cycle asks a device.
_CHECKED = frozenset({DeviceState.ACTIVE, DeviceState.INACTIVE})
# Of the row of devices that a query is at.
_PROVIDER = (
    select(Measurement.provider)
    .where(Measurement.device_id == Device.id)
    .order_by(col(Measurement.at).desc(), col(Measurement.id).desc())
    .limit(1)
    .correlate(Device)
    .scalar_subquery()
)


def _entries(session: Session, device: str | None = None) -> dict[str, BlacklistEntry]:
    """Return the entry that shuts each blacklisted device out, the newest of each."""
    query = select(BlacklistEntry).join(Device, col(BlacklistEntry.device_id) == col(Device.id))
    query = query.where(col(Device.state) == DeviceState.BLACKLISTED, col(BlacklistEntry.lifted_at).is_(None))
    if device is not None:
        query = query.where(col(Device.id) == device)
    return {entry.device_id: entry for entry in session.exec(query.order_by(col(BlacklistEntry.id)))}


def _overview(
    device: Device,
    owner: str,
    health: DeviceHealth | None,
    entry: BlacklistEntry | None,
    at: datetime,
    settings: StandingSettings,
    provider: str | None,
) -> HealthOverview:
    known = health or DeviceHealth(device_id=device.id, condition=Condition.UNKNOWN, trusted_at=at)
    trust = trust_now(known.trust, known.trusted_at, at, settings)
    return HealthOverview(device, owner, known, entry, at, trust, provider)
