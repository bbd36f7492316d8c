"""How long to wait after a failure: twice as long after each in a row, within a bound. No clock."""


class Backoff:
    """The failures in a row of one thing.

    Args:
        first: seconds to wait after the first failure.
        longest: seconds to wait at most.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def after_failure(self) -> float:
        """Count a failure and return how many seconds to wait now."""
        # Beyond that many doublings every pause is the longest, and a float would overflow in the end.
        seconds = min(self._first * 2.0 ** min(self._failures, 60), self._longest)
        self._failures += 1
        return seconds

    def succeeded(self) -> None:
        """Begin anew: the next failure is the first."""
        self._failures = 0
