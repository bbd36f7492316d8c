"""How many tasks of a queue were lost: the rule, as pure functions.

A task that is not lost has its message in its queue, ready or unacknowledged, from when it was put there until its end
is in the ledger's queue. So of the tasks that were put there before a look at the queue and had not ended then, as many
at most are not lost as the look found messages. Of those tasks the rule counts the ones that wait still, and the ones
that devices have done since; what more is counted than was there, is lost, and waits by the ledger's account only.
Every look gives such a bound, and the best holds. What is not counted, because it was put there later or runs still,
only makes a bound weaker: a loss is then seen some looks later.

The rule tells how many, not which: a queue is served in its order, so those put there first. Should a newer one be
lost while an older one waits that nobody takes, the older one is put back, and its second message is denied by the
clearance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Look:
    """One look at a queue.

    Attributes:
        at: when the look began.
        held: the messages that the broker said were in the queue, ready or unacknowledged; its figures may be some
            seconds old, so that they bound the tasks that were put there well before ``at``.
        recorded: when all that the ledger's queue had at the look was recorded: what ends later had not ended then.
    """

    at: datetime
    held: int
    recorded: datetime | None = None


def remember(looks: Sequence[Look], new: Look, kept: timedelta) -> list[Look]:
    """Return the looks with a new one, and without those that are older than it by more than ``kept``."""
    return [*(look for look in looks if new.at - look.at <= kept), new]


def lost(looks: Sequence[Look], counted: Sequence[int]) -> tuple[int, datetime] | None:
    """Return how many tasks were lost at least, by two looks; and the time of that look, before which they were put.

    Args:
        looks: at one queue.
        counted: for each look, how many tasks were put there well before it, and wait now or have been done since.
    """
    deficits = sorted(((count - look.held, look.at) for look, count in zip(looks, counted, strict=True)), reverse=True)
    # One look alone is no proof.
    if len(deficits) < 2 or deficits[1][0] <= 0:
        return None
    return deficits[1]
