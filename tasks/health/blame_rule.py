"""Whose fault it was that a device did not do its tasks: the device's, or nobody's. Pure.

What ended together is judged together, and counts once: a device that loses its network with eight tasks, or whose
model crashes in the middle of a batch, failed once. And a task of which nobody knows that it can be done may be what
took the device down, so that what ended with it counts against nobody either. A phone comes and goes: what it loses
counts while it loses most.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from types import MappingProxyType

from registry.blame import Undone
from registry.tables import EventKind
from registry.task_state import Outcome, TaskState

#: What a device did wrong, by how its attempts ended.
KINDS: Mapping[Outcome, EventKind] = MappingProxyType(
    {
        Outcome.LOST: EventKind.VANISHED,
        Outcome.RETURNED: EventKind.TASK_FAILED,
        Outcome.OVERRAN: EventKind.OVERRAN,
    }
)
#: Attempts of several devices that ended within so long of each other may have one cause.
WINDOW = timedelta(minutes=2)
#: From so many devices on, of which more than one in so many lose tasks, it is nobody's fault: the network's own.
FEWEST, SHARE = 2, 3
#: What a phone lost and did for so long tells whether it loses most; of fewer losses nobody can tell.
LATELY, FEWEST_LOST = timedelta(days=1), 3


def together(attempts: Iterable[Undone]) -> list[list[Undone]]:
    """Return the attempts in groups that ended together: all of a device that went on when the first of them ended."""
    of_device: defaultdict[tuple[str, Outcome], list[Undone]] = defaultdict(list)
    for one in attempts:
        of_device[one.device, one.outcome].append(one)
    return [group for mine in of_device.values() for group in _groups(sorted(mine, key=lambda one: one.ended_at))]


def is_done_elsewhere(group: Sequence[Undone]) -> bool:
    """Tell whether all tasks of a group were done, and one of them by another device: else it is nobody's fault."""
    others = (one.done_by != one.device for one in group)
    return all(one.state is TaskState.SUCCEEDED for one in group) and any(others)


def is_everybodys(
    group: Sequence[Undone], losses: Iterable[tuple[str, datetime]], active: Set[str], broker_since: datetime
) -> bool:
    """Tell whether the group ended for a cause that was not its device alone: the broker's restart, or an outage.

    A device that says itself that it could not do a task is not excused by either.

    Args:
        group: attempts that ended together.
        losses: which devices lost attempts, and when.
        active: the devices that serve.
        broker_since: since when the broker runs. Of earlier restarts nobody knows, so what began before is excused.
    """
    if group[0].outcome is Outcome.RETURNED:
        return False
    if any(one.started_at < broker_since for one in group):
        return True
    ends = [one.ended_at for one in group]
    losers = {device for device, at in losses if min(ends) - WINDOW <= at <= max(ends) + WINDOW}
    return len(losers) >= FEWEST and SHARE * len(losers) > len(losers | active)


def loses_most(lost: int, done: int) -> bool:
    """Tell whether a device loses most of its tasks, by what it lost lately and what it did."""
    return lost >= FEWEST_LOST and lost > done


def reason_of(group: Sequence[Undone]) -> str:
    """Return what its device did wrong, in a sentence for people."""
    first = group[0]
    tasks = f"task {first.task}" + (f" and {len(group) - 1} more" if len(group) > 1 else "")
    match first.outcome:
        case Outcome.RETURNED:
            return f"it could not do {tasks}, and another device could: {first.reason or 'it did not say why'}"
        case Outcome.OVERRAN:
            return f"it ran {tasks} for longer than the lease, and another device did it in time"
        case _:
            return f"its connection ended while it ran {tasks}, which another device did afterwards"


def _groups(attempts: list[Undone]) -> list[list[Undone]]:
    groups = []
    while attempts:
        first = attempts[0].ended_at
        groups.append([one for one in attempts if one.started_at <= first])
        attempts = [one for one in attempts if one.started_at > first]
    return groups
