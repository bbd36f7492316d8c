"""How many subscription changes a device may make: about one a second."""

#: Changes that may come at once: a ladder and all regions abroad, opened and closed.
BURST = 30.0
#: Changes a second on average. Each is a command that every node of the broker's cluster has to agree on.
RATE = 1.0


class ChangeBudget:
    """A bucket of changes. What must be done now is paid even into debt; what can wait, waits until it is paid."""

    def __init__(self, now: float) -> None:
        self._left = BURST
        self._at = now

    def allows(self, changes: int, now: float) -> bool:
        """Tell whether that many changes can be paid for."""
        return self._at_now(now) >= changes

    def pay(self, changes: int, now: float) -> None:
        """Take that many changes out."""
        self._left, self._at = self._at_now(now) - changes, now

    def _at_now(self, now: float) -> float:
        return min(self._left + RATE * (now - self._at), BURST)
