"""What the registry knows of all devices that a health cycle asks, read at its beginning in three queries."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from registry.device_state import DeviceState
from registry.health_row import ROW, Health
from registry.health_tables import DeviceHealth
from registry.tables import Deployment, Device, DeviceKey, Measurement

#: Devices in these states are asked; the others are not there.
ASKED = (DeviceState.ACTIVE, DeviceState.INACTIVE)


@dataclass(frozen=True, slots=True)
class Facts:
    """A device as the registry knows it when a cycle begins.

    Attributes:
        signing: the public key that it signs with, if it has one.
        models: what it hosts; ``slots``: how many tasks it runs at once, over all of them.
        gpu_name, gpu_driver, provider: as it was last measured.
    """

    state: DeviceState
    health: Health
    signing: bytes | None
    models: frozenset[str]
    slots: int
    gpu_name: str | None
    gpu_driver: str | None
    provider: str | None


def fleet_facts(session: Session, only: Collection[str] | None = None) -> dict[str, Facts]:
    """Return the devices that are asked, by id; all of them, or ``only`` a few hundred."""
    joined = (
        select_columns(col(Device.state), col(DeviceKey.signing), *ROW)
        .join(DeviceHealth, col(DeviceHealth.device_id) == col(Device.id))
        .join(DeviceKey, and_(col(DeviceKey.device_id) == col(Device.id), col(DeviceKey.until).is_(None)), isouter=True)
        .where(col(Device.state).in_(ASKED))
    )
    rows = session.execute(joined if only is None else joined.where(col(Device.id).in_(only))).all()
    hosted, measured = _hosted(session, only), _measured(session, only)
    found = ((state, signing, Health(*row)) for state, signing, *row in rows)
    return {
        health.device_id: Facts(
            state,
            health,
            signing,
            *hosted.get(health.device_id, _NOTHING),
            *measured.get(health.device_id, _UNMEASURED),
        )
        for state, signing, health in found
    }


_NOTHING: tuple[frozenset[str], int] = (frozenset(), 0)
_UNMEASURED = (None, None, None)


def _hosted(session: Session, only: Collection[str] | None) -> dict[str, tuple[frozenset[str], int]]:
    wanted = select_columns(col(Deployment.device_id), col(Deployment.model), col(Deployment.slots))
    models: defaultdict[str, list[str]] = defaultdict(list)
    slots: defaultdict[str, int] = defaultdict(int)
    for device, model, count in session.execute(_of(wanted, Deployment, only)):
        models[device].append(model)
        slots[device] += count
    return {device: (frozenset(found), slots[device]) for device, found in models.items()}


def _measured(session: Session, only: Collection[str] | None) -> dict[str, tuple[Any, ...]]:
    latest = select_columns(col(Measurement.device_id), func.max(col(Measurement.at)).label("at"))
    newest = _of(latest, Measurement, only).group_by(col(Measurement.device_id)).subquery()
    is_newest = and_(newest.c.device_id == col(Measurement.device_id), newest.c.at == col(Measurement.at))
    wanted = select_columns(
        col(Measurement.device_id), col(Measurement.gpu_name), col(Measurement.gpu_driver), col(Measurement.provider)
    ).join(newest, is_newest)
    return {device: tuple(facts) for device, *facts in session.execute(wanted.order_by(col(Measurement.id)))}


def _of(statement: Any, table: Any, only: Collection[str] | None) -> Any:
    return statement if only is None else statement.where(col(table.device_id).in_(only))
