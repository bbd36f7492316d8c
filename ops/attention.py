"""What of a device needs an operator's eye, in words: what is wrong with it, and what happens next. Pure."""

import math
from dataclasses import dataclass
from enum import IntEnum

from models.browser import BROWSER
from ops.times import clock, span
from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.health_view import HealthOverview
from registry.standing_rule import COSTS, Due, StandingSettings, after_failure, due
from registry.tables import EventKind

_WELL_AGAIN = "works again once a check finds it well"


class Rank(IntEnum):
    """How bad it is, the worst first. From ``WAITING`` on it is as it should be, and only worth knowing."""

    BLACKLISTED = 0
    QUARANTINED = 1
    FAILED = 2
    SILENT = 3
    LOWER_BAND = 4
    WAITING = 5
    HELD = 6
    AWAY = 7


@dataclass(frozen=True)
class Attention:
    """Why a device is not as one would have it, and what follows, both for people."""

    rank: Rank
    what: str
    then: str

    @property
    def urgent(self) -> bool:
        """Whether something is wrong, rather than as somebody wants it."""
        return self.rank < Rank.WAITING


def attention_of(found: HealthOverview, settings: StandingSettings) -> Attention | None:
    """Return what of the device needs attention, if anything does; that its owner switched it off does not."""
    state = found.device.state
    if state is DeviceState.BLACKLISTED:
        return _blacklisted(found)
    if state is DeviceState.OFFLINE:
        return None
    if found.health.held:
        return Attention(Rank.HELD, _held(found), "works again after `starai devices activate`")
    if found.quarantined:
        wrong = ailment(found)
        what = f"{_quarantined(found)}{f': {wrong}' if wrong else ''}"
        return Attention(Rank.QUARANTINED, what, "works again after that, once a check finds it well")
    return _condition(found) or _waiting(found) or _lower_band(found, settings)


def ailment(found: HealthOverview) -> str:
    """Return what the last check of a device found wrong, in full; nothing where it found nothing."""
    health = found.health
    if health.condition is Condition.SILENT:
        return _silent(found)
    if health.condition is not Condition.FAILED:
        return ""
    often = f", {health.failures} times in a row" if health.failures > 1 else ""
    return f"failed the {health.failed_check} check{often}: {health.reason}"


def state_text(found: HealthOverview) -> str:
    """Return a device's state, with the reason where it takes no tasks."""
    state, health = found.device.state, found.health
    if state is DeviceState.BLACKLISTED:
        return _shut_out(found)
    if state is DeviceState.ACTIVE:
        return f"{state}, paused: {health.paused}" if health.paused is not None else str(state)
    reasons = ["held"] * health.held
    if state is DeviceState.INACTIVE:
        reasons += [_quarantined(found)] * found.quarantined + [_short(found)]
    return ": ".join(filter(None, (str(state), "; ".join(filter(None, reasons)))))


def band(sound: bool) -> str:
    """Return the name of a band of priority."""
    return "upper" if sound else "lower"


def trust_text(found: HealthOverview) -> str:
    """Return how far a device is trusted, and its band where that is the lower one."""
    return f"{found.trust:.2f}" + ("" if found.health.sound else " lower")


def answered_text(found: HealthOverview) -> str:
    """Return how long ago a device last answered a check."""
    at = found.health.answered_at
    return f"{span((found.at - at).total_seconds())} ago" if at else "never"


def sound_again(trust: float, settings: StandingSettings) -> float:
    """Return in how many seconds trust reaches the upper band, if nothing but time passes."""
    if trust >= settings.sound_from:
        return 0.0
    missing = max(1.0 - settings.sound_from, 1e-6)
    return settings.forgiven_in * math.log2((1.0 - trust) / missing)


def _blacklisted(found: HealthOverview) -> Attention:
    entry, off = found.blacklisted, "`starai blacklist remove`"
    what = _shut_out(found) + (f": {entry.reason}" if entry else "")
    if entry is None or entry.until is None:
        return Attention(Rank.BLACKLISTED, what, f"comes back only by {off}")
    return Attention(Rank.BLACKLISTED, what, f"comes back then, on probation; sooner by {off}")


def _shut_out(found: HealthOverview) -> str:
    until = found.blacklisted.until if found.blacklisted else None
    return f"blacklisted until {clock(until, found.at)}" if until else "blacklisted"


def _held(found: HealthOverview) -> str:
    wrong = ailment(found)
    return f"held by the operator{f'; {wrong}' if wrong else ''}"


def _quarantined(found: HealthOverview) -> str:
    until = found.health.quarantined_until
    return f"quarantined until {clock(until, found.at)}" if until else ""


def _condition(found: HealthOverview) -> Attention | None:
    wrong = ailment(found)
    if not wrong:
        return None
    if found.health.condition is Condition.SILENT and found.provider == BROWSER:
        return Attention(Rank.AWAY, wrong, "works again once its page is open: phones come and go")
    rank = Rank.SILENT if found.health.condition is Condition.SILENT else Rank.FAILED
    if found.device.state is DeviceState.ACTIVE:
        return Attention(rank, wrong, "stays at work: nothing counts during an outage")
    return Attention(rank, wrong, "works again once it is back" if rank is Rank.SILENT else _WELL_AGAIN)


def _silent(found: HealthOverview) -> str:
    at = found.health.answered_at
    return f"silent for {span((found.at - at).total_seconds())}" if at else "silent: it never answered"


def _short(found: HealthOverview) -> str:
    """Return why a device is inactive, in a few words."""
    match found.health.condition:
        case Condition.FAILED:
            return f"failed {found.health.failed_check}"
        case Condition.SILENT:
            return _silent(found)
        case Condition.UNKNOWN:
            return "not checked yet"
        case _ if found.health.held or found.quarantined:
            return ""
    return "found well"


def _waiting(found: HealthOverview) -> Attention | None:
    if found.device.state is not DeviceState.INACTIVE:
        return None
    unknown = found.health.condition is Condition.UNKNOWN
    what = "inactive: no check has asked it yet" if unknown else "inactive: its last check found it well"
    return Attention(Rank.WAITING, what, "works once a check finds it well")


def _lower_band(found: HealthOverview, settings: StandingSettings) -> Attention | None:
    if found.health.sound:
        return None
    wait = span(sound_again(found.trust, settings))
    back = f"gets what no sound device has a slot for; back in the upper band in {wait}, if nothing fails"
    return Attention(Rank.LOWER_BAND, f"lower band, trust {found.trust:.2f}", back + _next_failure(found, settings))


def _next_failure(found: HealthOverview, settings: StandingSettings) -> str:
    after = due(after_failure(found.trust, COSTS[EventKind.CHECK_FAILED]), settings)
    return {Due.NOTHING: "", Due.QUARANTINE: "; one more puts it into quarantine"}.get(
        after, "; one more blacklists it"
    )
