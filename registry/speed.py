"""How fast a device runs a model, against the others that host it."""

import math
from collections.abc import Sequence
from statistics import median

#: The relative speed of the median, and of a device that nobody measured.
AVERAGE = 0.5


def relative_speed(rate: float, rates: Sequence[float]) -> float:
    """Return where a rate stands among the fleet's, from 0.0 to 1.0, on a log scale.

    The median is at 0.5; a tenfold span around it reaches from 0.0 to 1.0, so that twice as fast is always the same
    distance, 0.3.

    Args:
        rate: what one device does in a second, above 0.
        rates: what all of them do, above 0; none: nobody to compare with.
    """
    if not rates:
        return AVERAGE
    return min(max(AVERAGE + math.log10(rate / median(rates)), 0.0), 1.0)
