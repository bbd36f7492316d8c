"""One look at the health of the network: the fleet, its cycles, and what is wrong with the network as a whole."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Engine
from sqlmodel import Session

from ops.attention import Attention, attention_of
from ops.times import ago, clock, span
from registry.columns import now
from registry.database import reading
from registry.health_tables import HealthCycle
from registry.health_view import (
    CyclesOverview,
    FleetSummary,
    HealthOverview,
    cycles_overview,
    fleet_health,
    last_cycles,
    summary_of,
    unserved_models,
)
from registry.standing_rule import StandingSettings
from tasks.health.cycle_settings import CycleSettings

# Periods without a cycle after which it does not run.
_PERIODS = 2


@dataclass(frozen=True)
class HealthLook:
    """What was found at one time.

    Attributes:
        period: seconds from one cycle to the next.
        cycles: how they go; ``last`` are the last few, the newest first.
        unserved: models that no active device hosts.
    """

    at: datetime
    settings: StandingSettings
    period: float
    fleet: list[HealthOverview]
    cycles: CyclesOverview
    last: list[HealthCycle]
    unserved: list[str]

    @cached_property
    def summary(self) -> FleetSummary:
        """The fleet in figures."""
        return summary_of(self.fleet)

    @cached_property
    def attention(self) -> list[tuple[HealthOverview, Attention]]:
        """The devices that need attention, the worst first."""
        found = [(each, attention_of(each, self.settings)) for each in self.fleet]
        wrong = [(each, attention) for each, attention in found if attention]
        return sorted(wrong, key=lambda pair: (pair[1].rank, pair[0].trust, pair[0].device.id))

    @property
    def all_well(self) -> bool:
        """Whether nothing is wrong: not that nothing is as somebody wants it, like a device that is held."""
        return not troubles(self) and not any(attention.urgent for _, attention in self.attention)


def look(engine: Engine, cycles: int) -> HealthLook:
    """Look at the registry once, and at so many of the last cycles.

    Raises:
        RegistryError: it could not be read.
    """
    with reading(engine) as registry:
        return look_at(registry, fleet_health(registry, now(), StandingSettings()), cycles)


def look_at(registry: Session, fleet: list[HealthOverview], cycles: int = 0) -> HealthLook:
    """Look at the rest of the registry, and at so many of the last cycles, for a fleet that was read already."""
    return HealthLook(
        at=now(),
        settings=StandingSettings(),
        period=CycleSettings().health_seconds,
        fleet=fleet,
        cycles=cycles_overview(registry),
        last=last_cycles(registry, cycles),
        unserved=unserved_models(registry),
    )


def last_cycle_text(found: HealthLook) -> str:
    """Return how the last cycle came out, as a sentence."""
    last = found.cycles.last
    if last is None or last.ended_at is None:
        return f"No health cycle has ended yet; one is due every {span(found.period)}."
    took = (last.ended_at - last.began_at).total_seconds()
    came = f"{last.probed} asked, {last.well} well, {last.failed} failed, {last.silent} silent"
    return f"Last cycle: {ago(last.began_at, found.at)}, took {took:.1f} s: {came}."


def troubles(found: HealthLook) -> list[str]:
    """Return what is wrong with the network as a whole, in sentences."""
    return [sentence for sentence in (_stopped(found), _outage(found), _unserved(found)) if sentence]


def _stopped(found: HealthLook) -> str | None:
    last = found.cycles.last
    since = last.began_at if last else min((each.device.enrolled_at for each in found.fleet), default=found.at)
    if (found.at - since).total_seconds() <= _PERIODS * found.period:
        return None
    when = f"the last one began {ago(since, found.at)}" if last else "none has ended yet"
    return (
        f"The health cycle does not run: {when}, and one is due every {span(found.period)}. Is beat up, and the worker?"
    )


def _outage(found: HealthLook) -> str | None:
    since, last = found.cycles.outage_since, found.cycles.last
    if since is None or last is None:
        return None
    return f"An outage since {clock(since, found.at)}, so that nothing counts against devices: {last.outage}"


def _unserved(found: HealthLook) -> str | None:
    if not found.unserved:
        return None
    return f"No device that is active hosts {', '.join(found.unserved)}: such tasks wait until their deadline."
