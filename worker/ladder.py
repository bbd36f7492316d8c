"""The ladder: which consumers a deployed model holds open, and which of its deliveries runs. No I/O.

The home queue has one rung per slot, each a consumer of prefetch 1 at a lower priority, so that the broker sees
the device's load rise and fall with every task. The other regions' queues have rungs only while there has been a
free slot for a moment: one that waits in each, and one more for each task from there that runs. A delivery for
which there is no slot is a surplus: it is held for ``HOLD`` seconds at most, then its rung is closed and the
delivery returned, in this order, so that the broker cannot hand it back at once.

A saturated device takes a task from abroad in place of one at home when :mod:`worker.abroad` says so; the rung of
the task that just ended is closed for as long.
"""

from collections import deque
from collections.abc import Iterable

from broker_config.names import task_queue
from broker_config.priority import priority
from broker_config.regions import Region, distance
from worker.abroad import Abroad
from worker.budget import BURST, ChangeBudget
from worker.enrolment import Deployment
from worker.load import LoadMeter
from worker.rung import Delivery, Moves, Rung

#: Seconds that a surplus may wait for a slot.
HOLD = 0.5
# Seconds between two changes of the rungs' priorities, or two closings of those that wait beside another; and the
# changes that they leave for what matters more.
_REPRICE = 5.0
_RESERVE = 10
# Rungs renewed at once: no more than can ever be paid for.
_RENEWED = int(BURST - _RESERVE) // 2


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
        self._sound = sound
        self._slots = deployment.slots
        self._at_home = [self._rung(home, step) for step in range(self._slots)]
        others = sorted((r for r in Region if r is not home), key=lambda region: distance(home, region))
        self._in_region = {region: [self._rung(region, step) for step in range(self._slots)] for region in others}
        # Never opened: they stand for the queues that are asked.
        self._asking = [self._rung(region, 0) for region in others]
        self._abroad = Abroad(self._asking)
        self._running: set[Delivery] = set()
        self._held: deque[Delivery] = deque()
        self._budget = ChangeBudget(0.0)
        self._load = 0.0
        self._occupancy = LoadMeter()
        self._priced_at = 0.0
        self._spared_at = 0.0
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
        """Every rung, open or not, the home ladder's first and in falling priority."""
        return (*self._at_home, *self._rungs_abroad(), *self._asking)

    def set_load(self, load: float) -> None:
        """Take in what the device is under besides this model's own tasks, from 0.0 to 1.0."""
        self._load = load

    def arrive(self, delivery: Delivery, submitted: float | None = None) -> None:
        """Take in a delivery of a task that was submitted then; :meth:`moves` says what becomes of it."""
        if delivery.rung in self._asking:
            self._held.appendleft(delivery)  # there is a slot for what was asked for
            self._abroad.found(delivery.rung, submitted)
            return
        self._held.append(delivery)
        if delivery.rung.home:
            self._abroad.note_home(submitted)

    def finish(self, delivery: Delivery) -> None:
        """A started delivery has ended: its slot is free."""
        self._running.discard(delivery)

    def turns(self, finished: Delivery, now: float) -> list[Rung]:
        """Return where to look abroad before a finished task is acknowledged, which brings the next one at home.

        What is found takes the turn of a task at home if the finished one was from there, or had done so itself.
        Otherwise the slot serves those abroad until home has work again, of which only a rung that waits there tells.
        """
        if self._is_closed(now) or any(rung.tag for rung in self._rungs_abroad()):
            return []
        if finished.rung.home or finished.instead:
            return self._abroad.turns(now)
        home_waits = any(rung.tag for rung in self._at_home if rung not in self._busy())
        return self._abroad.look(now) if home_waits and not self._held else []

    def lose_connection(self) -> None:
        """Every rung is closed by the broker; what is held is gone, what runs goes on without its message."""
        for rung in self.rungs:
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
        closed = self._is_closed(now)
        self._occupancy.sample(len(self._running) / self._slots, now)
        if not closed:
            self._start(moves)
        self._abroad.note_free(self.free > 0, now)
        wanted = set() if closed else self._wanted(now)
        self._give_back(moves, wanted, now, closed)
        stale = self._stale(wanted, now)
        moves.close = [rung for rung in self.rungs if rung.tag and (rung not in wanted or rung in stale)]
        moves.open = [rung for rung in self.rungs if rung in wanted and (not rung.tag or rung in stale)]
        for rung in moves.open:
            rung.priority = self._price(rung)
        self._budget.pay(len(moves.close) + len(moves.open), now)
        if not closed and self._may_poll(wanted, now):
            moves.look = self._abroad.polls(now)
        return moves

    def _start(self, moves: Moves) -> None:
        while self._held and self.free > 0:
            delivery = self._held.popleft()
            self._running.add(delivery)
            moves.start.append(delivery)

    def _wanted(self, now: float) -> set[Rung]:
        busy = self._busy()
        return self._wanted_at_home(busy) | self._wanted_abroad(busy, now)

    def _busy(self) -> set[Rung]:
        return {delivery.rung for delivery in (*self._running, *self._held) if not delivery.lost}

    def _wanted_at_home(self, busy: set[Rung]) -> set[Rung]:
        """A rung for each slot, less what runs without one: tasks of a lost connection, and those taken instead.

        Those that open are the last ones, because what runs without a rung is load as well.
        """
        rungs = sum(1 for d in self._running if d.lost or d.instead)
        wanted = [rung for rung in self._at_home if rung.tag]
        idle = [rung for rung in wanted if rung not in busy]
        for rung in idle[: max(len(wanted) - (self._slots - rungs), 0)]:
            wanted.remove(rung)
            idle.remove(rung)
        closed = [rung for rung in reversed(self._at_home) if not rung.tag and rung not in busy]
        return {*wanted, *closed[: max(self.free - len(idle), 0)]}

    def _wanted_abroad(self, busy: set[Rung], now: float) -> set[Rung]:
        wanted = {rung for rung in self._rungs_abroad() if rung.tag} - self._spare(busy, now)
        if self._abroad.is_settled_full(now):
            return set()
        if not self._abroad.is_settled_free(now):
            return wanted
        missing = [rung for rungs in self._in_region.values() for rung in self._missing(rungs, busy)]
        # Whoever opens will close.
        return {*wanted, *missing} if self._budget.allows(2 * len(missing), now) else wanted

    def _spare(self, busy: set[Rung], now: float) -> set[Rung]:
        """Return the rungs that wait beside another one of their region abroad, if it is time to close them."""
        waiting = [[r for r in rungs if r.tag and r not in busy] for rungs in self._in_region.values()]
        spare = {rung for rungs in waiting for rung in rungs[1:]}
        if not spare or now - self._spared_at < _REPRICE or not self._budget.allows(len(spare) + _RESERVE, now):
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
        """Return the open rungs without a task whose priority is no longer true, if it is time to renew them.

        Of a ladder too long to be renewed at once they are those whose priority is wrong by most.
        """
        if now - self._priced_at < _REPRICE:
            return set()
        busy = {delivery.rung for delivery in (*self._running, *self._held)}
        open_idle = [rung for rung in self.rungs if rung in wanted and rung.tag and rung not in busy]
        wrong = {rung: abs(rung.priority - self._price(rung)) for rung in open_idle}
        stale = sorted(filter(wrong.get, wrong), key=lambda rung: -wrong[rung])[:_RENEWED]
        if not stale or not self._budget.allows(2 * len(stale) + _RESERVE, now):
            return set()
        self._priced_at = now
        return set(stale)

    def _may_poll(self, wanted: set[Rung], now: float) -> bool:
        listening = any(not rung.home for rung in wanted)
        return self.free > 0 and not self._held and not listening and self._abroad.is_settled_free(now)

    def _price(self, rung: Rung) -> int:
        own = rung.step / self._slots
        if not rung.home:  # nor do rungs abroad see the tasks from home
            own = max(own, self._occupancy.step)
        return priority(
            home=self._home,
            queue=rung.region,
            load=self._load + (1.0 - self._load) * own,
            speed=self.deployment.speed,
            sound=self._sound,
        )

    def _is_closed(self, now: float) -> bool:
        return self._draining or now < self._closed_until

    def _rungs_abroad(self) -> Iterable[Rung]:
        return (rung for rungs in self._in_region.values() for rung in rungs)

    def _rung(self, region: Region, step: int) -> Rung:
        queue = task_queue(region, self.deployment.tier, self.deployment.model)
        return Rung(queue, region, step, home=region is self._home)
