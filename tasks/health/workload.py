"""The fifth check: what the device says that it runs, against what the broker sees of it. Pure.

What the broker shows is old, tasks come and go in milliseconds, and a connection that a network failure killed still
counts for a while. So what is seen now never contradicts what is said now. What counts is:

* what the audit finds in two looks in a row;
* what *stood* at the broker, unchanged, while the device said otherwise (:class:`Stood`), and says so again now: more
  tasks that it holds, or more consumers, than it says; or consumers at home with a higher priority than the load that
  it says allows, more of them than may be busy, because a busy one keeps its priority.

Less at the broker than the device says is none: it may still run tasks of a connection that it lost.
"""

from dataclasses import dataclass

from broker_config import audit
from broker_config.priority import GOOD_STANDING, priority
from broker_config.regions import Region
from registry.health_state import Check
from tasks.health.evidence import Asked
from tasks.health.finding import Finding, Verdict
from tasks.probe import Readings

#: By how much the load that is told may be below the one that priorities are made of: a step of the device's meter.
LOAD_STEP = 0.1

_UNSEEN = "The broker was not looked at for it this time."
_BROKEN = "None of its models runs: {}. Start it again; if that does not help, free memory or let it join again."
_AUDIT = "It {}: {}. StarAI does not do that: install StarAI on it anew."
_HOLDS = (
    "It holds {} tasks at the broker and says {}. Start it again; if that does not help, install StarAI on it anew."
)
_CONSUMES = "It has {} consumers at the broker and says {}. Start it again; if that does not help, install it anew."
_PRICED = (
    "It claims a priority of {} within its band; with a load of {:.0%}, as it says, {} is the most. Start it again; if "
    "that does not help, install StarAI on it anew."
)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """What a device once said: tasks that it has, consumers, and the load that it is under."""

    tasks: int
    consumers: int
    load: float


@dataclass(frozen=True)
class Stood:
    """What certainly did not change at the broker while a device made a claim.

    Attributes:
        claim: what it said then.
        held: messages that it had taken and not acknowledged.
        consumers: its consumers of task queues.
        home: its region; ``prices`` are the priorities of those consumers that were of its only model's queue there,
            within their band, the highest first; none where it has several models, each with a load of its own.
        busy: how many of its consumers may have had a task.
    """

    claim: Claim
    held: int = 0
    consumers: int = 0
    home: Region | None = None
    prices: tuple[int, ...] = ()
    busy: int = 0


@dataclass(frozen=True)
class Seen:
    """What the broker shows of one device, some seconds late.

    Attributes:
        connections, consumers, unacknowledged: how many it has; consumers of task queues only.
        findings: what the audit found in this look and in the one before.
        stood: what did not change since an earlier claim of the device's, where there is one.
    """

    connections: int = 0
    consumers: int = 0
    unacknowledged: int = 0
    findings: tuple[audit.Finding, ...] = ()
    stood: Stood | None = None


def claim_of(readings: Readings) -> Claim:
    """Return what of a device's readings is held against it later."""
    tasks = readings.running + readings.held + readings.unsettled
    return Claim(tasks, readings.consumers, readings.load)


def check_workload(asked: Asked, readings: Readings, seen: Seen | None) -> Finding:
    """Return what is found. A device whose every model is broken fails; one of several that is, the figures tell."""
    figures = _figures(asked, readings, seen)
    reason = _broken(asked, readings) or (seen and (_audited(seen) or _contradicted(readings, seen)))
    if reason:
        return Finding(Check.WORKLOAD, Verdict.FAILED, reason, figures)
    if seen is None:
        return Finding(Check.WORKLOAD, Verdict.UNCHECKED, _UNSEEN, figures)
    return Finding(Check.WORKLOAD, Verdict.PASSED, figures=figures)


def most_priority(home: Region, load: float) -> int:
    """Return the highest priority within a band that a device may claim at home which says that load.

    As if it were the fastest of the network: how it compared when it joined, nobody has kept.
    """
    return priority(home=home, queue=home, load=load - LOAD_STEP, speed=1.0, sound=False)


def within_band(price: int) -> int:
    """Return a priority without its band: whether that is the device's own, the audit sees."""
    return price - GOOD_STANDING if price >= GOOD_STANDING else price


def _broken(asked: Asked, readings: Readings) -> str | None:
    if asked.models and asked.models <= readings.broken.keys():
        return _BROKEN.format(_first_broken(asked, readings))
    return None


def _first_broken(asked: Asked, readings: Readings) -> str:
    return next((f"{model}: {readings.broken[model]}" for model in sorted(asked.models & readings.broken.keys())), "")


def _audited(seen: Seen) -> str | None:
    return next((_AUDIT.format(finding.kind, finding.detail) for finding in seen.findings), None)


def _contradicted(readings: Readings, seen: Seen) -> str | None:
    if (stood := seen.stood) is None:
        return None
    now, then = claim_of(readings), stood.claim
    if stood.held > max(now.tasks, then.tasks):
        return _HOLDS.format(stood.held, then.tasks)
    if stood.consumers > max(now.consumers, then.consumers):
        return _CONSUMES.format(stood.consumers, then.consumers)
    return _overpriced(stood, min(now.load, then.load), max(stood.busy, now.tasks, then.tasks))


def _overpriced(stood: Stood, load: float, busy: int) -> str | None:
    if stood.home is None:
        return None
    most = most_priority(stood.home, load)
    too_high = [price for price in stood.prices if price > most]
    return _PRICED.format(too_high[0], load, most) if len(too_high) > busy else None


def _figures(asked: Asked, readings: Readings, seen: Seen | None) -> dict[str, float | int | str | None]:
    figures: dict[str, float | int | str | None] = {
        "running": readings.running,
        "held": readings.held,
        "unsettled": readings.unsettled,
        "consumers": readings.consumers,
        "models": len(asked.models),
        "broken": len(asked.models & readings.broken.keys()),
    }
    if first := _first_broken(asked, readings):
        figures["first_broken"] = first[:_SHOWN]
    if seen is not None:
        figures |= {"held_at_broker": seen.unacknowledged, "consumers_at_broker": seen.consumers}
        figures |= {"connections_at_broker": seen.connections}
    return figures
