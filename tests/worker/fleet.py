"""A fleet of ladders on a broker that exists in numbers only, in virtual time."""

import heapq
import itertools
from collections import Counter, deque
from dataclasses import dataclass, field

from broker_config.names import task_queue
from broker_config.regions import Region
from broker_config.tiers import Tier
from tasks.deployment import Deployment
from worker.abroad import BEHIND, LOOK
from worker.ladder import Ladder
from worker.rung import Delivery, Moves, Rung

MODEL = "all-minilm-l6-v2"
TICK = 0.1


@dataclass(eq=False)
class Work:
    """One task: where and when it was submitted, how long it takes, and what became of it."""

    region: Region
    submitted: float
    seconds: float
    returns: int = 0
    started: float | None = None
    ended: float | None = None
    device: "Unit | None" = None


@dataclass(eq=False)
class Unit:
    """A device: its ladder, and what it runs until when."""

    region: Region
    slots: int
    ladder: Ladder = field(init=False)
    running: list[tuple[float, int, Delivery]] = field(default_factory=list)
    changes: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.ladder = Ladder(self.region, Deployment(model=MODEL, tier=Tier.TINY, slots=self.slots))


class Fleet:
    """Devices, and the queues of one model, as RabbitMQ serves them: by priority, round robin among equals."""

    def __init__(self, units: list[Unit]) -> None:
        self.now = 1000.0
        self.units = units
        self.waiting = {queue(region): deque[Work]() for region in Region}
        self.consumers: dict[str, dict[str, tuple[Unit, Rung]]] = {name: {} for name in self.waiting}
        self.unsettled: set[str] = set()
        self.numbers = itertools.count(1)
        self.holds: dict[Delivery, str | None] = {}
        self.history: list[Work] = []

    def submit(self, region: Region, seconds: float) -> Work:
        work = Work(region, self.now, seconds)
        self.history.append(work)
        self.waiting[queue(region)].append(work)
        return work

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self.deliver()
            for unit in self.units:
                self.finish(unit)
                self.move(unit)

    def deliver(self) -> None:
        for name, works in self.waiting.items():
            while works:
                ready = [
                    (-rung.priority, next(self.numbers), tag, unit, rung)
                    for tag, (unit, rung) in self.consumers[name].items()
                    if tag not in self.unsettled
                ]
                if not ready:
                    break
                _, _, tag, unit, rung = min(ready)
                self.consumers[name][tag] = self.consumers[name].pop(tag)  # last among its equals now
                self.hand_over(unit, rung, works.popleft(), tag)

    def hand_over(self, unit: Unit, rung: Rung, work: Work, tag: str | None, *, instead: bool = False) -> None:
        delivery = Delivery(rung, next(self.numbers), work, self.now, instead=instead)
        self.holds[delivery] = tag
        if tag:
            self.unsettled.add(tag)
        unit.ladder.arrive(delivery, work.submitted)

    def settle(self, delivery: Delivery) -> None:
        self.unsettled.discard(self.holds.pop(delivery) or "")

    def finish(self, unit: Unit) -> None:
        while unit.running and unit.running[0][0] <= self.now:
            delivery = heapq.heappop(unit.running)[2]
            delivery.task.ended = self.now
            unit.ladder.finish(delivery, self.now)
            if turns := unit.ladder.turns(delivery, self.now):
                self.ask(unit, turns, instead=delivery.rung.home or delivery.instead)
                self.move(unit)

    def ask(self, unit: Unit, rungs: list[Rung], *, instead: bool) -> None:
        for rung in rungs:
            if works := self.waiting[rung.queue]:
                self.hand_over(unit, rung, works.popleft(), None, instead=instead)
                return

    def move(self, unit: Unit) -> None:
        moves = unit.ladder.moves(self.now)
        unit.changes += len(moves.close) + len(moves.open)
        for delivery in moves.start:
            delivery.task.started, delivery.task.device = self.now, unit
            heapq.heappush(unit.running, (self.now + delivery.task.seconds, next(self.numbers), delivery))
        unit.most = max(unit.most, len(unit.running))
        self.close(moves)
        for delivery in moves.give_back:
            delivery.task.returns += 1
            self.waiting[delivery.rung.queue].appendleft(delivery.task)
            self.settle(delivery)
        for delivery in moves.acknowledge:
            self.settle(delivery)
        for rung in moves.open:
            rung.tag = str(next(self.numbers))
            self.consumers[rung.queue][rung.tag] = (unit, rung)
        self.ask(unit, moves.look, instead=False)

    def close(self, moves: Moves) -> None:
        for rung in moves.close:
            del self.consumers[rung.queue][rung.tag or ""]
            rung.tag = None

    def starved(self, patience: float) -> list[Work]:
        """Return the tasks that waited longer than that while later ones of other regions were served.

        No reason are the few that a device takes before it notices, a slot at home, one abroad and one held, those that
        it takes from abroad every few seconds, however much waits at home, and what it does until the next look.
        """
        return [work for work in self.history if self.is_starved(work, patience)]

    def is_starved(self, work: Work, patience: float) -> bool:
        others = overtaking(work, self.history, patience, self.now)
        until_the_next_look = 2 * LOOK * sum(unit.slots for unit in self.units)
        return len(others) > self.looks(work, patience) and sum(o.seconds for o in others) > until_the_next_look

    def looks(self, work: Work, patience: float) -> float:
        """Return how many later tasks all devices may have taken in that time."""
        waited = (work.started or self.now) - work.submitted - patience
        return sum(1 + 3 * unit.slots + max(waited, 0) / LOOK for unit in self.units)

    def returns(self) -> Counter[int]:
        return Counter(work.returns for work in self.history)


def overtaking(work: Work, history: list[Work], patience: float, now: float) -> list[Work]:
    """Return the later tasks of other regions that were started when this one had waited for so long."""
    impatient, started, later = work.submitted + patience, work.started or now, work.submitted + BEHIND
    others = [other for other in history if other.region is not work.region and other.submitted > later]
    return [other for other in others if impatient < (other.started or 0) < started]


def queue(region: Region) -> str:
    return task_queue(region, Tier.TINY, MODEL)
