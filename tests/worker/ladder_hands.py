"""Does for a ladder what the device's consumer does, on a broker that exists in numbers only."""

import itertools

from broker_config.regions import Region
from broker_config.tiers import Tier
from tasks.deployment import Deployment
from worker.ladder import Ladder
from worker.rung import Delivery, Moves, Rung


class Hands:
    def __init__(self, slots: int) -> None:
        self.ladder = Ladder(Region.ASIA, Deployment(model="all-minilm-l6-v2", tier=Tier.TINY, slots=slots))
        self.tags = itertools.count(1)
        self.now = 100.0
        self.unsettled: list[Delivery] = []

    def move(self, seconds: float = 0.0) -> Moves:
        self.now += seconds
        moves = self.ladder.moves(self.now)
        for rung in moves.close:
            rung.tag = None
        for delivery in (*moves.give_back, *moves.acknowledge):
            self.unsettled.remove(delivery)
        for rung in moves.open:
            assert rung.tag is None
            rung.tag = str(next(self.tags))
        return moves

    def open(self, *, home: bool) -> list[Rung]:
        return [rung for rung in self.ladder.rungs if rung.tag and rung.home is home]

    def deliver(self, *, home: bool = True) -> Delivery:
        busy = {delivery.rung for delivery in self.unsettled}
        return self.hand_over(next(rung for rung in self.open(home=home) if rung not in busy))

    def hand_over(self, rung: Rung, submitted: float | None = None, *, instead: bool = False) -> Delivery:
        delivery = Delivery(rung, next(self.tags), None, self.now, instead=instead)
        self.unsettled.append(delivery)
        self.ladder.arrive(delivery, submitted)
        return delivery

    def finish(self, delivery: Delivery) -> None:
        self.ladder.finish(delivery, self.now)

    def lose_connection(self) -> None:
        self.ladder.lose_connection()
        self.unsettled.clear()
