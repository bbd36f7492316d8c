"""Times as a person reads them beside the present."""

from datetime import datetime

from ops.output import moment

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def span(seconds: float) -> str:
    """Return how long something takes or took, in its largest unit: ``12 s``, ``3 min``, ``20 h``, ``4 days``."""
    for unit, word in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {word}"
    return f"{max(seconds, 0):.0f} s"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago that was."""
    return f"{span((now - at).total_seconds())} ago"


def clock(at: datetime, now: datetime) -> str:
    """Return a time of today by the hour alone, any other one with its day."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else moment(at)
