"""What is counted of the fleet's health for metrics: figures by the database, not device by device."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.health_tables import DeviceHealth
from registry.health_view import cycles_overview
from registry.standing_rule import StandingSettings, trust_now
from registry.tables import Device

#: The thresholds of trust, by the consequence that each has, from the highest.
_THRESHOLDS = ("sound_from", "demoted_below", "quarantined_below", "blacklisted_below")
# A blacklisted device is asked nothing, and has its state.
_NOT_BLACKLISTED = col(Device.state) != DeviceState.BLACKLISTED


@dataclass(frozen=True)
class HealthFigures:
    """The fleet's health in figures; blacklisted devices are left out.

    Attributes:
        conditions: how many devices the last check of each found in which condition, also where there is none.
        below: how many are trusted less than each threshold, by its setting's name.
        cycle_age: seconds since the last cycle began that ended; ``None``: none ever did.
        outage: whether that one was an outage.
    """

    conditions: Mapping[Condition, int]
    below: Mapping[str, int]
    cycle_age: float | None
    outage: bool


def health_figures(session: Session, at: datetime, settings: StandingSettings) -> HealthFigures:
    """Return the fleet's health in figures at that time."""
    last = cycles_overview(session).last
    return HealthFigures(
        conditions=_conditions(session),
        below=_below(session, at, settings),
        cycle_age=(at - last.began_at).total_seconds() if last else None,
        outage=last is not None and last.outage is not None,
    )


def _conditions(session: Session) -> dict[Condition, int]:
    condition = func.coalesce(col(DeviceHealth.condition), Condition.UNKNOWN.value)
    joined = select(condition, func.count()).select_from(Device)
    joined = joined.outerjoin(DeviceHealth, col(DeviceHealth.device_id) == col(Device.id)).where(_NOT_BLACKLISTED)
    rows = session.connection().execute(joined.group_by(condition))
    found = {Condition(name): int(count) for name, count in rows}
    return {each: found.get(each, 0) for each in Condition}


def _below(session: Session, at: datetime, settings: StandingSettings) -> dict[str, int]:
    """Count by what they are trusted now. Trust only grows with time, so that few rows have to be looked at."""
    low = select(col(DeviceHealth.trust), col(DeviceHealth.trusted_at))
    low = low.join(Device, col(Device.id) == col(DeviceHealth.device_id)).where(_NOT_BLACKLISTED)
    rows = session.connection().execute(low.where(col(DeviceHealth.trust) < settings.sound_from))
    trusts = [trust_now(trust, since, at, settings) for trust, since in rows]
    bounds = {name: float(getattr(settings, name)) for name in _THRESHOLDS}
    return {name: sum(trust < bound for trust in trusts) for name, bound in bounds.items()}
