"""How long to wait before trying again."""

_LONGEST = 5.0


def pause(attempt: int) -> float:
    """Return the most seconds to wait before that attempt at something: more with each, within a bound."""
    return min(0.1 * 2.0 ** min(attempt, 10), _LONGEST)
