"""What a scheduler that knows everything would reach with the very same fleet and tasks, without any overhead.

Two such schedulers, of which the better one is the bound. Neither is optimal, which would take a search; each is
what a central scheduler could do at best by one simple rule.
"""

import heapq
from collections.abc import Sequence
from statistics import fmean

from bench.placement.fleet import Arrival, Machine


def earliest_completion(machines: Sequence[Machine], tasks: Sequence[Arrival]) -> list[float]:
    """Return each task's time to result when it goes, as it arrives, to the slot that will have it done first.

    It knows the work of every task and when every slot is free, and may queue a task behind others.
    """
    free = [(machine, [0.0] * machine.slots) for machine in machines]
    taken = []
    for task in tasks:
        done, slots, slot = min(
            (
                (max(task.at, at) + task.work / machine.speed, slots, slot)
                for machine, slots in free
                for slot, at in enumerate(slots)
            ),
            key=lambda candidate: candidate[0],
        )
        slots[slot] = done
        taken.append(done - task.at)
    return taken


def central_queue(machines: Sequence[Machine], tasks: Sequence[Arrival]) -> list[float]:
    """Return each task's time to result when all wait in one queue, whose head goes to the fastest free slot."""
    free = [(-machine.speed, slot) for machine in machines for slot in range(machine.slots)]
    heapq.heapify(free)
    busy: list[tuple[float, float]] = []  # when it ends, and the slot's negative speed
    taken = []
    now = 0.0
    for task in tasks:
        now = max(now, task.at)
        while busy and (busy[0][0] <= now or not free):
            now = max(now, busy[0][0])
            heapq.heappush(free, (heapq.heappop(busy)[1], 0))
        speed = heapq.heappop(free)[0]
        done = now + task.work / -speed
        heapq.heappush(busy, (done, speed))
        taken.append(done - task.at)
    return taken


def bound(machines: Sequence[Machine], tasks: Sequence[Arrival]) -> list[float]:
    """Return the times to result of the better of the two schedulers, by the mean."""
    return min(earliest_completion(machines, tasks), central_queue(machines, tasks), key=fmean)
