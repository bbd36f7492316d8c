"""When a device looks abroad: the rules of fairness between its own region and the others.

A device that has had free slots for a moment listens abroad. One that is saturated at home does not, but asks one
queue abroad every few seconds, in place of the next task at home, so that no region starves. When tasks were
submitted tells how often: as long as those abroad are older than those at home, it asks at each task's end.
"""

import math
from collections.abc import Sequence

from worker.rung import Rung

#: Seconds for which a slot must have been free before rungs abroad open.
MOMENT = 0.3
#: Seconds for which none may have been before those close on which nothing has come: what closes must open again.
FULL = 30.0
#: Seconds in which the next task at home comes, where one waits: a round trip to the broker or so.
ARRIVAL = 0.02
# Seconds in which an acknowledgement brings the next task where one waits: a slot that is free for less was not.
_HANDOVER = 0.1
#: Seconds between two looks of a saturated device. With the wait that follows, well below the 10 s that a task may
#: wait in one region's queue while later ones are served elsewhere.
LOOK = 2.0
# Tasks at home between two looks, so that slow tasks do not all give way.
_BETWEEN_LOOKS = 2
#: Seconds that tasks abroad may be older than those at home. Most submitters' clocks differ by less.
BEHIND = 3.0


class Abroad:
    """Says when and where to look, and remembers what was found.

    Args:
        rungs: one for each queue abroad, the nearest first.
    """

    def __init__(self, rungs: Sequence[Rung]) -> None:
        # When the task was submitted that each queue gave last, or else the newest of all when it was found empty.
        self._seen = dict.fromkeys(rungs, -math.inf)
        self._newest = -math.inf
        self._asked: list[Rung] = []
        self._looked = 0.0
        self._finished = 0
        # When what the last look found was submitted, and what came last at home.
        self._last = math.inf
        self._home = -math.inf
        self._free_since: float | None = None
        self._taken_since: float | None = None

    def note_free(self, free: bool, now: float) -> None:
        """Take in whether there is a free slot now."""
        self._free_since = (self._free_since or now) if free else None
        if not free:
            self._taken_since = self._taken_since or now
        elif now - (self._free_since or now) >= _HANDOVER:
            self._taken_since = None

    def is_settled_free(self, now: float) -> bool:
        """Tell whether there has been a free slot for a moment."""
        return self._free_since is not None and now - self._free_since >= MOMENT

    def is_unused(self, now: float) -> bool:
        """Tell whether there is a free slot for which no task at home has come."""
        return self._free_since is not None and now - self._free_since >= ARRIVAL

    def is_settled_full(self, now: float) -> bool:
        """Tell whether there has been none for long."""
        return self._taken_since is not None and now - self._taken_since >= FULL

    def note_home(self, submitted: float | None) -> None:
        """Take in when a task that came at home was submitted, where that is known."""
        if submitted is not None:
            self._home, self._newest = submitted, max(submitted, self._newest)

    def turns(self, now: float, among: Sequence[Rung]) -> list[Rung]:
        """Return where to look in place of the next task at home, now that one has ended; nowhere if it is not time."""
        self._finished += 1
        rested = now - self._looked >= LOOK and self._finished >= _BETWEEN_LOOKS
        return self.look(now, among) if rested or self._last < self._home - BEHIND else []

    def polls(self, now: float, among: Sequence[Rung]) -> list[Rung]:
        """Return where to look for a free slot that may not listen there just now."""
        return self.look(now, among) if now - self._looked >= MOMENT else []

    def found(self, rung: Rung, submitted: float | None) -> None:
        """The last look found a task, submitted then where that is known; the queues before it had none."""
        self._note_empty(self._asked[: self._asked.index(rung)])
        self._asked = []
        if submitted is not None:
            self._seen[rung], self._newest = submitted, max(submitted, self._newest)
            self._last = submitted

    def look(self, now: float, among: Sequence[Rung]) -> list[Rung]:
        """Return where of these to look now, whatever the time: where tasks are oldest first."""
        self._note_empty(self._asked)
        self._looked, self._finished, self._last = now, 0, math.inf
        self._asked = sorted(among, key=lambda rung: self._seen[rung])
        return self._asked

    def _note_empty(self, rungs: Sequence[Rung]) -> None:
        self._seen.update(dict.fromkeys(rungs, self._newest))
