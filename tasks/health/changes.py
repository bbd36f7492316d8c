"""What one cycle makes of one device: its new row of health, what counts against it, and what is to be done. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from registry.device_state import DeviceState
from registry.failures import cost_of
from registry.health import Failure, Present
from registry.health_row import Health
from registry.health_state import Condition
from registry.standing_rule import (
    COSTS,
    COUNTED_SILENCE,
    StandingSettings,
    after_failure,
    after_good_check,
    counts,
    trust_now,
)
from registry.tables import EventKind
from tasks.health.checks import Judgement
from tasks.health.finding import Finding
from tasks.health.workload import Seen
from tasks.probe import Readings

_REASON_LENGTH = 500


class Act(Enum):
    """What is to be done about a device; done once more, each is harmless."""

    NOTHING = "nothing"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True)
class Ground:
    """What is the same for all devices of a cycle.

    Attributes:
        cycle: its number; ``None``: a short one, in which nothing counts.
        at: when it began.
        counts: whether it counts for devices or against them: not in an outage.
        states_follow: whether states change.
        standing: what trust is lost and earned by.
        outage_at: when the last outage before it began, if there was one.
    """

    cycle: int | None
    at: datetime
    counts: bool
    states_follow: bool
    standing: StandingSettings
    outage_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """What becomes of a device.

    Attributes:
        health: its new row.
        failure: what counts against it, if something does.
        act: what is to be done, and ``reason`` why, in words.
    """

    health: Health
    failure: Failure | None = None
    act: Act = Act.NOTHING
    reason: str = ""


def answered(known: Present, judgement: Judgement, seen: Seen | None, timed: float | None, ground: Ground) -> Change:
    """Return what becomes of a device that answered.

    Args:
        known: the device when the cycle ends.
        judgement: what the checks found.
        seen: what the broker shows of it, if it was looked at.
        timed: seconds that a probe without padding took there and back; ``None``: it had padding.
        ground: of the cycle.
    """
    readings = judgement.report.readings if judgement.report else None
    known = replace(known, health=_measured(_asked(known.health, ground), judgement, timed))
    consumes = _consumes(readings, seen)
    if (failed := judgement.failed) is None:
        return _well(known, readings, consumes, ground)
    known = replace(known, health=_failed(known.health, failed, ground))
    failure = None
    if ground.counts and counts(known.health.failures):
        known, failure = _charge(known, ground, EventKind.CHECK_FAILED, failed.reason, failed, readings)
    return Change(known.health, failure, *_out(known, consumes, f"check {failed.check}: {failed.reason}", ground))


def silent(
    known: Present, seen: Seen | None, deadline: float, ground: Ground, *, may_go: bool = False
) -> Change | None:
    """Return what becomes of a device that did not answer; ``None``: nothing at all.

    One that has said meanwhile that it is here has just come: nobody knows how it is. A check outside of a cycle finds
    nobody silent.

    Args:
        known: the device when the cycle ends.
        seen: what the broker shows of it, if it was looked at.
        deadline: seconds that it had.
        ground: of the cycle.
        may_go: whether it costs nothing, as of a page in a browser.
    """
    greeted = known.health.greeted_at
    if ground.cycle is None or (greeted is not None and greeted > ground.at):
        return None
    reason = f"it did not answer within {deadline:g} s"
    silences = known.health.silences + ground.counts
    health = replace(
        known.health,
        cycle=ground.cycle,
        checked_at=ground.at,
        condition=Condition.SILENT,
        failed_check=None,
        reason=reason,
        silences=silences,
    )
    known = replace(known, health=health)
    failure = None
    if ground.counts and silences == COUNTED_SILENCE and _has_gone(health, ground) and not may_go:
        said = f"it did not answer {COUNTED_SILENCE} times in a row"
        known, failure = _charge(known, ground, EventKind.SILENT, said)
    return Change(known.health, failure, *_out(known, _consumes(None, seen), reason, ground))


def _has_gone(health: Health, ground: Ground) -> bool:
    """Tell whether it was there and went by itself: one that an outage silenced is not charged for staying away."""
    return health.answered_at is not None and (ground.outage_at is None or health.answered_at >= ground.outage_at)


def _asked(health: Health, ground: Ground) -> Health:
    cycle = health.cycle if ground.cycle is None else ground.cycle
    return replace(health, cycle=cycle, checked_at=ground.at, answered_at=ground.at)


def _measured(health: Health, judgement: Judgement, timed: float | None) -> Health:
    if judgement.report is None:
        return health
    readings = judgement.report.readings
    return replace(
        health,
        round_trip=health.round_trip if timed is None else timed,
        down=health.down if judgement.down is None else judgement.down,
        up=health.up if judgement.up is None else judgement.up,
        load=readings.load,
        paused=readings.paused,
        figures=readings.model_dump_json(exclude_none=True),
    )


def _failed(health: Health, failed: Finding, ground: Ground) -> Health:
    return replace(
        health,
        condition=Condition.FAILED,
        failed_check=failed.check,
        reason=failed.reason[:_REASON_LENGTH],
        failures=health.failures + ground.counts,
        silences=0,
    )


def _well(known: Present, readings: Readings | None, consumes: bool, ground: Ground) -> Change:
    health = replace(known.health, condition=Condition.WELL, failed_check=None, reason=None, failures=0, silences=0)
    if ground.counts:
        trust = trust_now(health.trust, health.trusted_at, ground.at, ground.standing)
        health = replace(health, trust=after_good_check(trust, ground.standing), trusted_at=_later(health, ground))
    if not health.may_serve(ground.at):
        return Change(health, None, *_out(known, consumes, "it is kept out of work", ground))
    if ground.states_follow and known.state is DeviceState.INACTIVE:
        return Change(health, None, Act.ACTIVATE, "a check found it well")
    if ground.states_follow and known.state is DeviceState.ACTIVE and _is_shut_out(readings):
        return Change(health, None, Act.ACTIVATE, "it is active, and reads no task queue")
    return Change(health)


def _out(known: Present, consumes: bool, reason: str, ground: Ground) -> tuple[Act, str]:
    """Return what is done about a device that is not well: it goes out of work, once more where it did not go."""
    if ground.states_follow and (
        known.state is DeviceState.ACTIVE or (known.state is DeviceState.INACTIVE and consumes)
    ):
        return Act.DEACTIVATE, reason
    return Act.NOTHING, ""


def _is_shut_out(readings: Readings | None) -> bool:
    """Tell whether a device says that it would work and has no subscription, as when the broker was not told."""
    return readings is not None and not readings.consumers and readings.paused is None and bool(readings.models)


def _consumes(readings: Readings | None, seen: Seen | None) -> bool:
    return bool((readings and readings.consumers) or (seen and seen.consumers))


def _charge(
    known: Present,
    ground: Ground,
    kind: EventKind,
    reason: str,
    failed: Finding | None = None,
    readings: Readings | None = None,
) -> tuple[Present, Failure]:
    """Return the device with less trust, and the event that says so."""
    check, figures = (failed.check, _figures(failed.figures, readings)) if failed else (None, None)
    # An answer that cannot be read shows no lie.
    cost = COSTS[kind] if failed and failed.figures.get("lie") == 0 else cost_of(kind, check)
    health = known.health
    trust = after_failure(trust_now(health.trust, health.trusted_at, ground.at, ground.standing), cost)
    cut = reason[:_REASON_LENGTH]
    failure = Failure(health.device_id, known.owner_id, ground.at, kind, cut, ground.cycle, check, figures, cost, trust)
    return replace(known, health=replace(health, trust=trust, trusted_at=_later(health, ground))), failure


def _figures(found: Mapping[str, Any], readings: Readings | None) -> str:
    said = {"readings": readings.model_dump(mode="json", exclude_none=True)} if readings else {}
    return json.dumps({**found, **said})


def _later(health: Health, ground: Ground) -> datetime:
    return max(health.trusted_at, ground.at)
