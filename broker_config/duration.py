"""Durations as people write them: ``30m``, ``12h``, ``7d``."""

import re
from datetime import timedelta

from broker_config.errors import SettingError

_DURATION = re.compile(r"([0-9]{1,6})([mhd])")
_UNIT = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST = timedelta(days=365)


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text names: minutes, hours or days, from a minute to a year.

    Raises:
        SettingError: it names none.
    """
    found = _DURATION.fullmatch(text)
    duration = int(found[1]) * _UNIT[found[2]] if found else timedelta()
    if not timedelta() < duration <= _LONGEST:
        raise SettingError(f"{text!r} is no duration: write 30m, 12h or 7d, and at most {_LONGEST.days}d.")
    return duration
