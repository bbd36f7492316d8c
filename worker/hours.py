"""Hours of the day in which a device may serve: ``22:00-07:00``, by the clock on the wall. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAY = 24 * 60


@dataclass(frozen=True)
class Hours:
    """From one minute of the day to another; over midnight where the end is not after the beginning.

    Attributes:
        begin, end: minutes since midnight; the first is within, the last is not.
    """

    begin: int
    end: int

    def has(self, minute: int) -> bool:
        """Tell whether a minute of the day is within."""
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def parse_hours(text: str) -> Hours:
    """Return the hours that a text names: ``22:00-07:00``, or ``00:00-24:00`` for the whole day.

    Raises:
        ValueError: it names none.
    """
    found = _HOURS.fullmatch(text)
    hours = Hours(*(60 * int(found[part]) + int(found[part + 1]) for part in (1, 3))) if found else None
    if hours is None or hours.begin >= _DAY or hours.end > _DAY or hours.begin == hours.end:
        raise ValueError(f"{text!r} is no hours: write 22:00-07:00, or 00:00-24:00 for the whole day")
    return hours


def is_within(hours: Sequence[Hours], at: datetime) -> bool:
    """Tell whether a local time is within one of these hours; without any, every time is."""
    return not hours or any(one.has(60 * at.hour + at.minute) for one in hours)


def next_opening(hours: Sequence[Hours], at: datetime) -> datetime:
    """Return when the next of these hours begin after a local time, by the same clock. There is one at least."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [midnight + timedelta(days=day, minutes=one.begin) for day in (0, 1) for one in hours]
    return min(begin for begin in begins if begin > at)
