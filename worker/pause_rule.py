"""When a device pauses by itself, by what is around it and what its owner prefers. Pure.

It pauses once something has been wrong for a moment, and goes on once everything has been well for :data:`SETTLE`
seconds: a device that goes on and off all the time helps nobody (BOINC waits as long).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.hours import is_within, next_opening
from worker.preferences import Preferences
from worker.status import Pause

#: Seconds for which a thing that comes and goes must be wrong.
MOMENT = 10.0
#: Seconds for which it must be well again.
SETTLE = 300.0


@dataclass(frozen=True)
class Surroundings:
    """What is around a device; ``None`` where it is not known, or was not asked for.

    Attributes:
        on_battery: whether the machine runs on its battery.
        untouched: seconds for which nobody has touched keyboard and mouse.
        others_cpu: the share of all processors that programs use which are not the device's.
        processor_temperature, gpu_temperature: of the hottest part, in degrees Celsius.
    """

    on_battery: bool | None = None
    untouched: float | None = None
    others_cpu: float | None = None
    processor_temperature: float | None = None
    gpu_temperature: float | None = None


@dataclass(frozen=True)
class Condition:
    """One thing that may be wrong.

    Attributes:
        name: which one; the preference's key.
        why: what to tell the owner while it is wrong, or was lately.
        moment: seconds for which it must be wrong before the device pauses.
        settle: seconds for which it must be well before the device goes on.
        until: when it will be well, where that is known.
        well_for: seconds for which it has been well, where that is known without having looked.
    """

    name: str
    is_wrong: bool
    why: str
    moment: float = MOMENT
    settle: float = SETTLE
    until: datetime | None = None
    well_for: float = math.inf


def conditions(preferences: Preferences, around: Surroundings, at: datetime) -> list[Condition]:
    """Return the conditions that the owner's preferences make, at a local time.

    What is not known is no reason to pause, but for whether somebody sits there: who asked for that is not to be
    disturbed by a system that cannot tell.
    """
    found = []
    if preferences.not_on_battery:
        found.append(Condition("not-on-battery", bool(around.on_battery), "the machine runs on its battery"))
    if preferences.only_when_idle_for is not None:
        found.append(_idle(preferences.only_when_idle_for.total_seconds(), around.untouched))
    if preferences.hours:
        found.append(_hours(preferences, at))
    return found + _limits(preferences, around)


class PauseRule:
    """Remembers what was wrong, and since when it is not."""

    def __init__(self) -> None:
        self._wrong_since: dict[str, float] = {}
        self._wrong_last: dict[str, float] = {}
        self._holding: dict[str, Condition] = {}

    def update(self, found: Iterable[Condition], now: float) -> None:
        """Take in how things are. A condition that is not among them any more holds nothing.

        Args:
            found: the conditions.
            now: seconds on a clock that never goes back.
        """
        by_name = {condition.name: condition for condition in found}
        for known in (self._wrong_since, self._wrong_last, self._holding):
            for name in known.keys() - by_name.keys():
                del known[name]
        for condition in by_name.values():
            self._take(condition, now)

    def pause(self, now: float, at: datetime) -> Pause | None:
        """Return why the device is to pause, if it is; ``at``: the local time that is ``now``."""
        if not self._holding:
            return None
        longest = max(self._holding.values(), key=lambda condition: (condition.is_wrong, self._left(condition, now)))
        if longest.is_wrong:
            return Pause(why=longest.why, until=longest.until)
        until = at + timedelta(seconds=self._left(longest, now))
        return Pause(why=f"{longest.why} (until a short while ago)", until=until.replace(microsecond=0))

    def _take(self, condition: Condition, now: float) -> None:
        name = condition.name
        if condition.is_wrong:
            self._wrong_last[name] = now
            if now - self._wrong_since.setdefault(name, now) >= condition.moment or name in self._holding:
                self._holding[name] = condition
            return
        self._wrong_since.pop(name, None)
        # It may have been wrong for some time after the last look.
        self._wrong_last[name] = max(self._wrong_last.get(name, -math.inf), now - condition.well_for)
        if name in self._holding and self._left(condition, now) <= 0:
            del self._holding[name]
        elif name in self._holding:
            self._holding[name] = condition

    def _left(self, condition: Condition, now: float) -> float:
        return self._wrong_last[condition.name] + condition.settle - now


def _idle(wanted: float, untouched: float | None) -> Condition:
    # The wait itself settles; a shorter one is made up to what all others take.
    settle = max(SETTLE - wanted, 0.0)
    if untouched is None:
        why = "this system does not tell whether somebody uses it, which only-when-idle-for asks for"
        return Condition("only-when-idle-for", True, why, moment=0.0, settle=settle)
    why = f"somebody used this machine within the last {wanted / 60:g} minutes"
    well_for = untouched - wanted
    return Condition("only-when-idle-for", well_for < 0, why, moment=0.0, settle=settle, well_for=well_for)


def _hours(preferences: Preferences, at: datetime) -> Condition:
    # A clock does not flutter.
    return Condition(
        "hours",
        not is_within(preferences.hours, at),
        "it is outside of the hours that its owner chose",
        moment=0.0,
        settle=0.0,
        until=next_opening(preferences.hours, at),
    )


def _limits(preferences: Preferences, around: Surroundings) -> list[Condition]:
    limits = (
        (
            "cpu-limit",
            preferences.cpu_limit,
            _percent(around.others_cpu),
            "other programs use more than {:g} % of the processors",
        ),
        (
            "processor-temperature-limit",
            preferences.processor_temperature_limit,
            around.processor_temperature,
            "the processor is hotter than {:g} °C",
        ),
        (
            "gpu-temperature-limit",
            preferences.gpu_temperature_limit,
            around.gpu_temperature,
            "a GPU is hotter than {:g} °C",
        ),
    )
    return [
        Condition(name, value is not None and value > limit, why.format(limit))
        for name, limit, value, why in limits
        if limit is not None
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share
