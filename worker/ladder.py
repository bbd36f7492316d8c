"""The ladder: which consumers a deployed model holds open, and which of its deliveries runs. No I/O.

The home queue has one rung per slot, each a consumer of prefetch 1 at a lower priority, so that the broker sees
the device's load rise and fall with every task. Each other region's queue has a single rung, open only while
there has been a free slot for a moment. A delivery for which there is no slot is a surplus: it is held for
``HOLD`` seconds at most, then its rung is closed and the delivery returned, in this order, so that the broker
cannot hand it back at once.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from broker_config.names import task_queue
from broker_config.priority import priority
from broker_config.regions import Region
from worker.enrolment import Deployment

#: Seconds that a surplus may wait for a slot.
HOLD = 0.5
#: Seconds for which slots must have been free, or taken, before the rungs abroad follow.
MOMENT = 0.3


@dataclass(eq=False)
class Rung:
    """One consumer of one queue. ``tag`` is its consumer tag while it is open."""

    queue: str
    region: Region
    step: int
    home: bool
    tag: str | None = None
    priority: int = 0


@dataclass(eq=False)
class Delivery:
    """One task that a rung brought. ``lost`` once its connection is gone: it can be neither acked nor returned."""

    rung: Rung
    tag: int
    task: Any
    arrived: float
    lost: bool = False


@dataclass
class Moves:
    """What is to be done now, in this order: start, close, return, open.

    Starting comes first because it cannot fail: what follows may meet a lost connection, and a delivery that
    counts as running but was never started would hold its slot for ever.
    """

    start: list[Delivery] = field(default_factory=list)
    close: list[Rung] = field(default_factory=list)
    give_back: list[Delivery] = field(default_factory=list)
    open: list[Rung] = field(default_factory=list)


class Ladder:
    """The rungs and deliveries of one deployment. Used by the consumer's thread alone."""

    def __init__(self, home: Region, deployment: Deployment) -> None:
        self.deployment = deployment
        self._home = home
        self._slots = deployment.slots
        self._rungs = [self._rung(region, step) for region in Region for step in self._steps(region)]
        self._running: set[Delivery] = set()
        self._held: deque[Delivery] = deque()
        self._turned = 0.0  # when free slots last began, or ceased, to exist
        self._had_free = True
        self._closed_until = 0.0
        self._draining = False

    @property
    def free(self) -> int:
        """How many slots run nothing. Tasks of a lost connection keep theirs until they end."""
        return self._slots - len(self._running)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing is held."""
        return not self._running and not self._held

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Every rung, open or not, the home ladder's in falling priority."""
        return tuple(self._rungs)

    def arrive(self, delivery: Delivery) -> None:
        """Take in a delivery; :meth:`moves` says what becomes of it."""
        self._held.append(delivery)

    def finish(self, delivery: Delivery) -> None:
        """A started delivery has ended: its slot is free."""
        self._running.discard(delivery)

    def lose_connection(self) -> None:
        """Every rung is closed by the broker; what is held is gone, what runs goes on without its message."""
        for rung in self._rungs:
            rung.tag = None
        for delivery in (*self._running, *self._held):
            delivery.lost = True
        self._held.clear()

    def pause(self, until: float) -> None:
        """Close all rungs until then: this device cannot run the model just now."""
        self._closed_until = max(until, self._closed_until)

    def drain(self) -> None:
        """Close all rungs for good; what runs may end."""
        self._draining = True

    def moves(self, now: float) -> Moves:
        """Return what to do at this moment. The caller does all of it, and sets the tags of opened rungs."""
        moves = Moves()
        closed = self._draining or now < self._closed_until
        if not closed:
            self._start(moves)
        self._turn(now)
        wanted = set() if closed else self._wanted(now)
        self._give_back(moves, wanted, now, closed)
        moves.close = [rung for rung in self._rungs if rung.tag and rung not in wanted]
        moves.open = [rung for rung in self._rungs if not rung.tag and rung in wanted]
        for rung in moves.open:
            rung.priority = self._priority(rung)
        return moves

    def _start(self, moves: Moves) -> None:
        while self._held and self.free > 0:
            delivery = self._held.popleft()
            self._running.add(delivery)
            moves.start.append(delivery)

    def _turn(self, now: float) -> None:
        if (self.free > 0) is not self._had_free:
            self._had_free, self._turned = self.free > 0, now

    def _wanted(self, now: float) -> set[Rung]:
        settled = now - self._turned >= MOMENT
        wanted = {rung for rung in self._rungs if rung.tag and (rung.home or not settled or self._had_free)}
        if settled and self._had_free:
            wanted.update(rung for rung in self._rungs if not rung.home)
        return wanted | self._home_rungs_to_open()

    def _home_rungs_to_open(self) -> set[Rung]:
        """As many rungs as there are free slots that no open and empty rung of the home ladder serves.

        The last ones: what runs without a rung, after a lost connection, is load as well.
        """
        busy = {delivery.rung for delivery in (*self._running, *self._held) if not delivery.lost}
        home = [rung for rung in self._rungs if rung.home]
        waiting = sum(1 for rung in home if rung.tag and rung not in busy)
        closed = [rung for rung in reversed(home) if not rung.tag and rung not in busy]
        return set(closed[: max(self.free - waiting, 0)])

    def _give_back(self, moves: Moves, wanted: set[Rung], now: float, closed: bool) -> None:
        overdue = {d.rung for d in self._held if closed or now - d.arrived >= HOLD}
        wanted -= overdue
        for delivery in [d for d in self._held if d.rung in overdue]:
            self._held.remove(delivery)
            moves.give_back.append(delivery)

    def _priority(self, rung: Rung) -> int:
        taken = rung.step if rung.home else len(self._running)
        return priority(home=self._home, queue=rung.region, load=(taken + 1) / self._slots)

    def _steps(self, region: Region) -> range:
        return range(self._slots if region is self._home else 1)

    def _rung(self, region: Region, step: int) -> Rung:
        queue = task_queue(region, self.deployment.tier, self.deployment.model)
        return Rung(queue, region, step, home=region is self._home)
