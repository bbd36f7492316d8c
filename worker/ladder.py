"""The ladder: which consumers a deployed model holds open, and which of its deliveries runs. No I/O.

The home queue has one rung per slot, each a consumer of prefetch 1 at a lower priority, so that the broker sees
the device's load rise and fall with every task. The other regions' queues have rungs only while there has been a
free slot for a moment: one that waits in each, and one more for each task from there that runs. A delivery for
which there is no slot is a surplus: it is held for ``HOLD`` seconds at most, then its rung is closed and the
delivery returned, in this order, so that the broker cannot hand it back at once.

What brings a rung its next task is the acknowledgement of the last. While no slot is free it waits, so that a device
that is busy with tasks of one queue is offered no more from another; that changes no subscription. After ``LATE``
seconds the rung is closed instead.

A saturated device takes a task from abroad in place of one at home when :mod:`worker.abroad` says so.
"""

from collections import deque
from collections.abc import Iterable

from broker_config.names import task_queue
from broker_config.regions import Region, distance
from tasks.deployment import Deployment
from worker.abroad import Abroad
from worker.budget import ChangeBudget
from worker.prices import REPRICE, RESERVE, Prices
from worker.rung import Delivery, Moves, Rung

#: Seconds that a surplus may wait for a slot.
HOLD = 0.5
#: Seconds that an acknowledgement may wait for a slot. If the device dies meanwhile, the task is done once more.
LATE = 1.0


class Ladder:
    """The rungs and deliveries of one deployment. Used by the consumer's thread alone.

    Args:
        home: the device's region.
        deployment: the model, its slots, and how fast the device runs it.
        sound: whether the device is in good standing.
    """

    def __init__(self, home: Region, deployment: Deployment, *, sound: bool = True) -> None:
        self.deployment = deployment
        self._home = home
        self._prices = Prices(home, deployment.slots, deployment.speed, sound=sound)
        self._slots = deployment.slots
        self._at_home = [self._rung(home, step) for step in range(self._slots)]
        others = sorted((r for r in Region if r is not home), key=lambda region: distance(home, region))
        self._in_region = {region: [self._rung(region, step) for step in range(self._slots)] for region in others}
        # Never opened: they stand for the queues that are asked.
        self._asking = [self._rung(region, 0) for region in others]
        self._outside = tuple(rung for rungs in self._in_region.values() for rung in rungs)
        #: Every rung, open or not, the home ladder's first and in falling priority.
        self.rungs = (*self._at_home, *self._outside, *self._asking)
        # When a queue abroad brought a task last, so that those which have some are listened to first.
        self._served = dict.fromkeys(Region, 0.0)
        self._abroad = Abroad(self._asking)
        self._running: set[Delivery] = set()
        self._held: deque[Delivery] = deque()
        # What has ended and is not acknowledged, and when it ended.
        self._ended: dict[Delivery, float] = {}
        self._budget = ChangeBudget(0.0)
        self._spared_at = 0.0
        self._draining = False
        self._resting = False

    @property
    def free(self) -> int:
        """How many slots run nothing. Tasks of a lost connection keep theirs until they end."""
        return self._slots - len(self._running)

    @property
    def idle(self) -> bool:
        """Whether nothing runs, is held, or is to be acknowledged."""
        return not self._running and not self._held and not self._ended

    @property
    def running(self) -> int:
        """How many tasks run. This and the next three may be asked by any thread: they only count."""
        return len(self._running)

    @property
    def held(self) -> int:
        """How many tasks wait for a slot."""
        return len(self._held)

    @property
    def unsettled(self) -> int:
        """How many tasks have ended and are not acknowledged."""
        return len(self._ended)

    @property
    def consumers(self) -> int:
        """How many rungs are open."""
        return sum(1 for rung in self.rungs if rung.tag)

    def set_sound(self, sound: bool) -> None:
        """Take in whether the device is in good standing; its rungs follow as their budget allows."""
        self._prices.sound = sound

    def set_load(self, load: float) -> None:
        """Take in what the device is under besides this model's own tasks, from 0.0 to 1.0."""
        self._prices.load = load

    def arrive(self, delivery: Delivery, submitted: float | None = None) -> None:
        """Take in a delivery of a task that was submitted then; :meth:`moves` says what becomes of it."""
        if delivery.rung in self._asking:
            self._held.appendleft(delivery)  # there is a slot for what was asked for
            self._abroad.found(delivery.rung, submitted)
            return
        self._held.append(delivery)
        self._served[delivery.rung.region] = delivery.arrived
        if delivery.rung.home:
            self._abroad.note_home(submitted)

    def finish(self, delivery: Delivery, now: float, *, returned: bool = False) -> None:
        """A started delivery has ended: its slot is free. Unless it is returned, :meth:`moves` will acknowledge it."""
        self._running.discard(delivery)
        if not delivery.lost and not returned:
            self._ended[delivery] = now

    def turns(self, finished: Delivery, now: float) -> list[Rung]:
        """Return where to look abroad before a finished task is acknowledged, which brings the next one at home.

        What is found takes the turn of a task at home if the finished one was from there, or had done so itself.
        Otherwise the slot serves those abroad until home has work again, of which only a rung that waits there tells.
        """
        unheard = self._unheard()
        if self._is_closed or not unheard:
            return []
        if finished.rung.home or finished.instead:
            return self._abroad.turns(now, unheard)
        home_waits = any(rung.tag for rung in self._at_home if rung not in self._busy())
        return self._abroad.look(now, unheard) if home_waits and not self._held else []

    def lose_connection(self) -> None:
        """Every rung is closed by the broker; what is held is gone, what runs goes on without its message."""
        for rung in self.rungs:
            rung.tag = None
        for delivery in (*self._running, *self._held):
            delivery.lost = True
        self._held.clear()
        self._ended.clear()

    def rest(self, resting: bool) -> None:
        """Close all rungs, or let them open again; what runs may end."""
        self._resting = resting

    def drain(self) -> None:
        """Close all rungs for good; what runs may end."""
        self._draining = True

    def moves(self, now: float) -> Moves:
        """Return what to do at this moment. The caller does all of it, and sets the tags of opened rungs."""
        moves = Moves()
        closed = self._is_closed
        self._prices.sample(len(self._running), now)
        if not closed:
            self._start(moves)
        self._abroad.note_free(self.free > 0 and not closed, now)  # or all would open at once when it opens again
        wanted = set() if closed else self._wanted(now)
        self._give_back(moves, wanted, now, closed)
        stale = self._stale(wanted, now)
        moves.close = [rung for rung in self.rungs if rung.tag and (rung not in wanted or rung in stale)]
        self._acknowledge(moves, now)
        if stale:
            stale -= self._busy()  # those open again when their task has ended
        moves.open = [rung for rung in self.rungs if rung in wanted and (not rung.tag or rung in stale)]
        for rung in moves.open:
            rung.priority = self._prices.price(rung)
        self._budget.pay(len(moves.close) + len(moves.open), now)
        if not closed and self.free > 0 and not self._held and self._abroad.is_settled_free(now):
            moves.look = self._poll(moves, now)
        return moves

    def _start(self, moves: Moves) -> None:
        while self._held and self.free > 0:
            delivery = self._held.popleft()
            self._running.add(delivery)
            moves.start.append(delivery)

    def _wanted(self, now: float) -> set[Rung]:
        busy = self._busy()
        wanted = self._wanted_at_home(busy) | self._wanted_abroad(busy, now)
        if self.free == 0:
            wanted -= {delivery.rung for delivery, ended in self._ended.items() if now - ended >= LATE}
        return wanted

    def _acknowledge(self, moves: Moves, now: float) -> None:
        """Acknowledge what brings no task that there is no slot for: a slot is free, or the rung is closed.

        A task from abroad leaves the slot to those at home for as long as the next of them takes to come.
        """
        closed = {*moves.close, *(delivery.rung for delivery in self._ended if not delivery.rung.tag)}
        unused = self._abroad.is_unused(now)
        moves.acknowledge = [d for d in self._ended if d.rung in closed or (self.free > 0 and (d.rung.home or unused))]
        for delivery in moves.acknowledge:
            del self._ended[delivery]

    def _busy(self) -> set[Rung]:
        # What has ended on a closed rung is acknowledged before any rung opens.
        ended = (delivery for delivery in self._ended if delivery.rung.tag)
        return {delivery.rung for delivery in (*self._running, *self._held, *ended) if not delivery.lost}

    def _wanted_at_home(self, busy: set[Rung]) -> set[Rung]:
        """A rung for each slot, less what runs without one: tasks of a lost connection.

        Those that open are the last ones, because what runs without a rung is load as well.
        """
        rungs = sum(1 for d in self._running if d.lost)
        wanted = [rung for rung in self._at_home if rung.tag]
        idle = [rung for rung in wanted if rung not in busy]
        for rung in idle[: max(len(wanted) - (self._slots - rungs), 0)]:
            wanted.remove(rung)
            idle.remove(rung)
        closed = [rung for rung in reversed(self._at_home) if not rung.tag and rung not in busy]
        return {*wanted, *closed[: max(self.free - len(idle), 0)]}

    def _wanted_abroad(self, busy: set[Rung], now: float) -> set[Rung]:
        wanted = {rung for rung in self._outside if rung.tag} - self._spare(busy, now)
        if self._abroad.is_settled_full(now):
            return set()
        if not self._abroad.is_settled_free(now):
            return wanted
        missing = [rung for rungs in self._in_region.values() for rung in self._missing(rungs, busy)]
        missing.sort(key=lambda rung: -self._served[rung.region])
        while missing and not self._budget.allows(2 * len(missing), now):  # whoever opens will close
            missing.pop()
        return {*wanted, *missing}

    def _spare(self, busy: set[Rung], now: float) -> set[Rung]:
        """Return the rungs that wait beside another one of their region abroad, if it is time to close them."""
        waiting = [[r for r in rungs if r.tag and r not in busy] for rungs in self._in_region.values()]
        spare = {rung for rungs in waiting for rung in rungs[1:]}
        if not spare or now - self._spared_at < REPRICE or not self._budget.allows(len(spare) + RESERVE, now):
            return set()
        self._spared_at = now
        return spare

    @staticmethod
    def _missing(rungs: Iterable[Rung], busy: set[Rung]) -> list[Rung]:
        """Return the rung to open so that one waits in this region, where none does."""
        idle = [rung for rung in rungs if rung not in busy]
        return [] if any(rung.tag for rung in idle) else idle[:1]

    def _give_back(self, moves: Moves, wanted: set[Rung], now: float, closed: bool) -> None:
        overdue = {d.rung for d in self._held if closed or now - d.arrived >= HOLD}
        wanted -= overdue
        for delivery in [d for d in self._held if d.rung in overdue]:
            self._held.remove(delivery)
            moves.give_back.append(delivery)

    def _stale(self, wanted: set[Rung], now: float) -> set[Rung]:
        if not self._prices.are_due(now):
            return set()
        open_now = [rung for rung in self.rungs if rung in wanted and rung.tag]
        return self._prices.stale(open_now, self._busy(), self._budget, now)

    def _poll(self, moves: Moves, now: float) -> list[Rung]:
        opened = {rung.region for rung in moves.open}
        unheard = [rung for rung in self._unheard() if rung.region not in opened]
        return self._abroad.polls(now, unheard) if unheard else []

    def _unheard(self) -> list[Rung]:
        """Return where abroad to ask, because no rung waits there."""
        busy = self._busy()
        heard = {rung.region for rung in self._outside if rung.tag and rung not in busy}
        return [rung for rung in self._asking if rung.region not in heard]

    @property
    def _is_closed(self) -> bool:
        return self._draining or self._resting

    def _rung(self, region: Region, step: int) -> Rung:
        queue = task_queue(region, self.deployment.tier, self.deployment.model)
        return Rung(queue, region, step, home=region is self._home)
