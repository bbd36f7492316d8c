"""What a health cycle reads of the fleet and writes to it: few queries, and one row a device."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Table, bindparam, or_, text
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from registry import bulk
from registry.columns import UtcDateTime
from registry.device_state import DeviceState
from registry.failures import locked_health
from registry.fleet_facts import ASKED
from registry.health_row import COLUMNS, ROW, TABLE, Health
from registry.health_state import Check, Condition
from registry.health_tables import DeviceHealth, HealthCycle
from registry.tables import Device, DeviceEvent, EventKind

# Devices that are checked at once because they said that they are here.
_MOST_GREETED = 500


@dataclass(frozen=True, slots=True)
class Present:
    """A device when a cycle ends: its state, its owner and its row, which nobody changes until the transaction ends."""

    state: DeviceState
    owner_id: int
    health: Health


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that counts against a device; :class:`registry.tables.DeviceEvent` says what its columns are."""

    device_id: str
    owner_id: int
    at: datetime
    kind: EventKind
    reason: str
    cycle: int | None
    failed_check: Check | None
    figures: str | None
    cost: float
    trust: float


@dataclass(frozen=True, slots=True)
class Previous:
    """The last cycle that ended: when it began, whether it was an outage, and when the last one that was began."""

    began_at: datetime
    was_outage: bool
    outage_at: datetime | None


_EVENTS: Table = DeviceEvent.__table__  # type: ignore[attr-defined]
#: The columns that a cycle writes; the others are of those who judge a device's standing and of its operator.
_WRITTEN = COLUMNS[: COLUMNS.index("sound")]
_FAILURE = tuple(field.name for field in fields(Failure))

_MISSING = text(
    "INSERT INTO device_health (device_id, condition, failures, silences, trust, trusted_at, sound, quarantines, held) "
    "SELECT id, :unknown, 0, 0, 1.0, :at, :yes, 0, :no FROM devices "
    "WHERE NOT EXISTS (SELECT 1 FROM device_health WHERE device_health.device_id = devices.id) "
    "ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=UtcDateTime()))


def add_missing(session: Session, at: datetime) -> None:
    """Make a row of health for every device that has none."""
    session.execute(_MISSING, {"unknown": Condition.UNKNOWN.value, "at": at, "yes": True, "no": False})


def begin_cycle(session: Session, at: datetime) -> int:
    """Write down that a cycle began, and return its number, which no other has."""
    cycle = HealthCycle(began_at=at)
    session.add(cycle)
    session.flush()
    assert cycle.id is not None  # noqa: S101
    return cycle.id


def end_cycle(session: Session, cycle: int, at: datetime, counts: dict[Condition, int], outage: str | None) -> None:
    """Write down that a cycle ended, how many devices it found in which condition, and whether it was an outage."""
    found = session.get_one(HealthCycle, cycle)
    found.ended_at = at
    found.probed = sum(counts.values())
    found.well, found.failed, found.silent = (
        counts.get(condition, 0) for condition in (Condition.WELL, Condition.FAILED, Condition.SILENT)
    )
    found.outage = outage[:500] if outage else None
    session.add(found)


def previous_cycle(session: Session) -> Previous | None:
    """Return the last cycle that ended, if there is one. Those that were cut short judged nobody."""
    ended = select(HealthCycle).where(col(HealthCycle.ended_at).is_not(None)).order_by(col(HealthCycle.id).desc())
    found = session.exec(ended.limit(1)).first()
    outage = session.exec(ended.where(col(HealthCycle.outage).is_not(None)).limit(1)).first()
    return Previous(found.began_at, found.outage is not None, outage.began_at if outage else None) if found else None


def greeted(session: Session, at: datetime) -> list[str]:
    """Return the devices that said that they are here since they were last checked, and may serve if they are well.

    Those that the last check found failing wait for the next cycle: they would come back only because their connections
    were closed.
    """
    found = select(Device.id).join(DeviceHealth, col(DeviceHealth.device_id) == col(Device.id))
    checked, quarantined = col(DeviceHealth.checked_at), col(DeviceHealth.quarantined_until)
    wanted = found.where(
        col(Device.state) == DeviceState.INACTIVE,
        col(DeviceHealth.greeted_at).is_not(None),
        or_(checked.is_(None), col(DeviceHealth.greeted_at) > checked),
        col(DeviceHealth.condition) != Condition.FAILED,
        col(DeviceHealth.held).is_(False),
        or_(quarantined.is_(None), quarantined <= at),
    )
    return list(session.exec(wanted.order_by(col(DeviceHealth.greeted_at)).limit(_MOST_GREETED)))


def present(session: Session, devices: Iterable[str]) -> dict[str, Present]:
    """Return those of these devices that are still asked, by id; nobody else changes their rows in this transaction."""
    joined = (
        select_columns(col(Device.state), col(Device.owner_id), *ROW)
        .join(DeviceHealth, col(DeviceHealth.device_id) == col(Device.id))
        .where(col(Device.state).in_(ASKED))
        # In one order, so that no two wait for each other.
        .order_by(col(Device.id))
        .with_for_update(of=DeviceHealth)
    )
    wanted = set(devices)
    if len(wanted) <= _MOST_GREETED:
        joined = joined.where(col(Device.id).in_(wanted))
    found = (Present(state, owner, Health(*row)) for state, owner, *row in session.execute(joined))
    return {one.health.device_id: one for one in found if one.health.device_id in wanted}


def write_health(session: Session, rows: Sequence[Health]) -> None:
    """Write what a cycle found of devices; what belongs to others of their rows stays."""
    bulk.update(session.connection(), TABLE, rows, _WRITTEN)


def write_failures(session: Session, failures: Sequence[Failure]) -> None:
    """Add to the histories of devices what counts against them."""
    bulk.insert(session.connection(), _EVENTS, failures, _FAILURE)


def set_held(session: Session, device: str, held: bool, at: datetime) -> None:
    """Write down whether the operator keeps a device out of work.

    Raises:
        RegistryError: there is no such device.
    """
    health = locked_health(session, device, at)
    health.held = held
    session.add(health)
    session.flush()


def release(session: Session, device: str, at: datetime) -> None:
    """Write down that neither the operator nor a quarantine keeps a device out of work any more.

    Raises:
        RegistryError: there is no such device.
    """
    health = locked_health(session, device, at)
    health.held, health.quarantined_until = False, None
    session.add(health)
    session.flush()


def may_change(session: Session, devices: Collection[str], serving_at: datetime | None = None) -> list[str]:
    """Return those of a few hundred devices that are active or inactive, in the order of their ids.

    Args:
        session: the transaction; until it ends nobody changes their rows of health.
        devices: their ids.
        serving_at: leaves out those that the operator holds, or that are quarantined then.
    """
    found = (
        select_columns(*ROW)
        .join(Device, col(Device.id) == col(DeviceHealth.device_id))
        .where(col(Device.id).in_(devices), col(Device.state).in_(ASKED))
        .order_by(col(Device.id))
        .with_for_update(of=DeviceHealth)
    )
    rows = [Health(*row) for row in session.execute(found)]
    return [row.device_id for row in rows if serving_at is None or row.may_serve(serving_at)]
