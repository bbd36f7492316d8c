"""A lease: for how long a task may go on without a sign of life."""

import time


class Lease:
    """Runs out after so many seconds, unless it is extended. Any thread may extend it.

    Args:
        seconds: ``None``: it never runs out.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.since = time.monotonic()

    def extend(self) -> None:
        """Let it begin anew."""
        self.since = time.monotonic()

    def left(self) -> float | None:
        """Return the seconds until it runs out, not below 0; ``None``: it never does."""
        return None if self.seconds is None else max(self.since + self.seconds - time.monotonic(), 0.0)

    def is_over(self) -> bool:
        """Tell whether it has run out."""
        return self.left() == 0.0
