"""How far a device is trusted: fast to lose, slow to earn, forgiven with time. Pure.

Trust is a number from 0.0 to 1.0. A failure takes a share of it away, so that each further one finds less to take. What
is missing to 1.0 halves with every :attr:`StandingSettings.forgiven_in` seconds that pass, and shrinks a little with
every check that finds the device well. (Two speeds, as in BOINC's daily quota and Crynux's quality of service.)
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from registry.tables import EventKind

#: The share of its trust that a failure costs a device. The more surely it was the device, and the more it cost others,
#: the more.
COSTS: Mapping[EventKind, float] = MappingProxyType(
    {
        EventKind.CHECK_FAILED: 0.10,
        EventKind.SILENT: 0.05,  # mostly a closed lid or a lost network
        EventKind.VANISHED: 0.10,  # the same, but a task waited for it
        EventKind.TASK_FAILED: 0.15,
        EventKind.OVERRAN: 0.20,
        EventKind.HOARDED: 0.30,
        EventKind.FAILED_AUDIT: 0.30,  # what a sound program of ours never does
    }
)
#: A wrong signature, a wrong nonce, another device's report: nothing but a lie.
LIE = 0.50
#: Silences in a row of which the last one counts, once: the peers that counted fewer flapped.
COUNTED_SILENCE = 3


class StandingSettings(BaseSettings):
    """When trust has what consequence. Each has a variable: ``STARAI_STANDING_DEMOTED_BELOW`` and so on.

    Attributes:
        demoted_below: below it a device is in the lower band of priority: it gets what no sound one has a slot for. A
            few failures in a day lead here.
        sound_from: from it on it is back in the upper band; above ``demoted_below``, so that the band does not flap.
        quarantined_below: below it a failure keeps a device out of work for ``quarantine`` seconds, twice as long each
            time, a day at most.
        blacklisted_below: below it a failure shuts a device out for ``blacklisted`` seconds: it went on failing after
            quarantine, or lied.
        probation: the trust of one that comes back: in the lower band, a few failures from being out again.
        forgiven_in: seconds in which half of what is missing to full trust is forgiven.
        check_earns: the share of what is missing that a check earns which finds the device well.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_STANDING_", frozen=True, extra="ignore")

    demoted_below: float = Field(default=0.70, gt=0, lt=1)
    sound_from: float = Field(default=0.85, gt=0, le=1)
    quarantined_below: float = Field(default=0.45, gt=0, lt=1)
    blacklisted_below: float = Field(default=0.20, ge=0, lt=1)
    quarantine: float = Field(default=900.0, gt=0)
    blacklisted: float = Field(default=7 * 86_400.0, gt=0)
    probation: float = Field(default=0.50, gt=0, le=1)
    forgiven_in: float = Field(default=86_400.0, gt=0)
    check_earns: float = Field(default=0.001, ge=0, le=1)

    @model_validator(mode="after")
    def _rises(self) -> "StandingSettings":
        steps = (self.blacklisted_below, self.quarantined_below, self.demoted_below, self.sound_from)
        if list(steps) != sorted(steps):
            raise ValueError("blacklisted_below, quarantined_below, demoted_below and sound_from have to rise")
        return self


class Due(Enum):
    """What a failure leads to, beside what it costs."""

    NOTHING = "nothing"
    QUARANTINE = "quarantine"
    BLACKLIST = "blacklist"


#: Seconds that a quarantine lasts at most.
LONGEST_QUARANTINE = 86_400.0


def trust_now(trust: float, at: datetime, now: datetime, settings: StandingSettings) -> float:
    """Return what became of the trust that a device had at that time. A clock that went back changes nothing."""
    seconds = max((now - at).total_seconds(), 0.0)
    return 1.0 - (1.0 - trust) * math.exp2(-seconds / settings.forgiven_in)


def after_failure(trust: float, cost: float) -> float:
    """Return what is left of a device's trust after a failure that costs that share of it."""
    return trust * (1.0 - cost)


def after_good_check(trust: float, settings: StandingSettings) -> float:
    """Return a device's trust after a check that found it well."""
    return 1.0 - (1.0 - trust) * (1.0 - settings.check_earns)


def counts(streak: int) -> bool:
    """Tell whether a failed check counts that is the so manyth in a row: the 1st, 2nd, 4th, 8th and so on.

    One that stays broken is out of work and harms nobody; what counts most is to come back and fail again.
    """
    return streak > 0 and streak & (streak - 1) == 0


def is_sound(trust: float, was_sound: bool, settings: StandingSettings) -> bool:
    """Tell whether a device is in the upper band, given whether it was."""
    return trust >= (settings.demoted_below if was_sound else settings.sound_from)


def due(trust: float, settings: StandingSettings) -> Due:
    """Return what a failure leads to after which a device has that trust."""
    if trust < settings.blacklisted_below:
        return Due.BLACKLIST
    return Due.QUARANTINE if trust < settings.quarantined_below else Due.NOTHING


def may_serve(held: bool, quarantined_until: datetime | None, at: datetime) -> bool:
    """Tell whether neither its operator nor a quarantine keeps a device out of work then."""
    return not held and (quarantined_until is None or quarantined_until <= at)


def quarantine_of(before: int, settings: StandingSettings) -> timedelta:
    """Return for how long a device is quarantined that was so often before."""
    return timedelta(seconds=min(settings.quarantine * 2 ** min(before, 20), LONGEST_QUARANTINE))
