"""What each contender can do with a task that does nothing."""

from typing import Protocol

#: Tasks under way at once where many are.
IN_FLIGHT = 256
#: Tasks that a device, or a worker's threads, run at once.
SLOTS = 8
#: What every task carries, and what answers it.
TEXT = "nothing"
VECTOR = (0.0,) * 8


class Contender(Protocol):
    """One way to have a task done by another process, from this one.

    Attributes:
        answers: whether results come back.
        confirmed: whether the broker confirms that it has taken a task.
    """

    name: str
    answers: bool
    confirmed: bool

    def round_trips(self, count: int) -> list[float]:
        """Do tasks one at a time and return the seconds that each took, from submission to result."""

    def submit(self, count: int) -> float:
        """Submit that many tasks that nobody takes, and return the seconds it took.

        That is until the broker has confirmed the last, or, where it confirms nothing, until it was handed over.
        """

    def complete(self, count: int) -> float:
        """Have that many tasks done, many at once, and return the seconds until the last is."""
