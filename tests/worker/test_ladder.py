"""The ladder's rules, without a broker; and its invariants against a small model of one."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from broker_config.regions import Region
from broker_config.tiers import Tier
from worker.abroad import MOMENT
from worker.enrolment import Deployment
from worker.ladder import HOLD, Ladder
from worker.rung import Delivery


def deployment(slots):
    return Deployment(model="all-minilm-l6-v2", tier=Tier.TINY, slots=slots)


class Hands:
    """Does what a ladder asks for, as the consumer does."""

    def __init__(self, slots):
        self.ladder = Ladder(Region.ASIA, deployment(slots))
        self.tags = itertools.count(1)
        self.now = 100.0
        self.started = []
        self.returned = []

    def move(self, seconds=0.0):
        self.now += seconds
        moves = self.ladder.moves(self.now)
        self.started += moves.start
        self.returned += moves.give_back
        for rung in moves.close:
            rung.tag = None
        for rung in moves.open:
            assert rung.tag is None
            rung.tag = str(next(self.tags))
        return moves

    def open(self, *, home):
        return [rung for rung in self.ladder.rungs if rung.tag and rung.home is home]

    def deliver(self, *, home=True):
        busy = {delivery.rung for delivery in self.started}
        rung = next(rung for rung in self.open(home=home) if rung not in busy)
        delivery = Delivery(rung, next(self.tags), None, self.now)
        self.ladder.arrive(delivery)
        return delivery


@pytest.fixture
def hands():
    hands = Hands(slots=2)
    hands.move()
    hands.move(MOMENT * 1.1)
    return hands


def test_a_ladder_begins_with_a_rung_a_slot_at_home_and_soon_one_for_each_region_abroad(hands):
    assert [rung.region for rung in hands.open(home=True)] == [Region.ASIA, Region.ASIA]
    assert {rung.region for rung in hands.open(home=False)} == set(Region) - {Region.ASIA}


def test_each_rung_at_home_is_one_step_of_load_lower(hands):
    first, second = hands.open(home=True)

    assert first.priority > second.priority >= 0


def test_a_delivery_is_started_while_a_slot_is_free(hands):
    delivery = hands.deliver()

    assert hands.move().start == [delivery]
    assert hands.ladder.free == 1


def test_rungs_abroad_close_when_no_slot_has_been_free_for_a_moment_and_not_before(hands):
    hands.deliver(), hands.deliver()

    hands.move()
    hands.move(MOMENT * 0.9)
    assert len(hands.open(home=False)) == 5
    hands.move(MOMENT * 0.2)

    assert hands.open(home=False) == []
    assert len(hands.open(home=True)) == 2


def test_rungs_abroad_open_when_a_slot_has_been_free_for_a_moment_and_not_before(hands):
    first, _ = hands.deliver(), hands.deliver()
    hands.move()
    hands.move(MOMENT * 1.1)

    hands.ladder.finish(first)
    hands.move()
    hands.move(MOMENT * 0.9)
    assert hands.open(home=False) == []
    hands.move(MOMENT * 0.2)

    assert len(hands.open(home=False)) == 5


def test_rungs_abroad_close_though_every_end_of_a_task_leaves_a_slot_free_until_the_next_one_comes(hands):
    running = [hands.deliver(), hands.deliver()]
    hands.move()

    for _ in range(10):
        hands.move(MOMENT / 3)
        finished = running.pop(0)
        hands.ladder.finish(finished)
        hands.started.remove(finished)
        hands.move()
        running.append(hands.deliver())
        hands.move(0.01)

    assert hands.open(home=False) == []


def test_a_surplus_waits_for_a_slot_and_is_started_in_its_turn(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    surplus = hands.deliver()
    assert hands.move().start == []

    hands.ladder.finish(first)

    assert hands.move(HOLD * 0.9).start == [surplus]


def test_a_surplus_is_given_back_after_its_rung_was_closed(hands):
    hands.deliver(), hands.deliver(home=False)
    hands.move()
    surplus = hands.deliver()
    hands.move()

    moves = hands.move(HOLD)

    assert moves.give_back == [surplus]
    assert surplus.rung in moves.close
    assert surplus.rung not in moves.open


def test_a_paused_ladder_closes_every_rung_gives_back_what_it_holds_and_starts_nothing(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    surplus = hands.deliver()
    hands.move()

    hands.ladder.finish(first)
    hands.ladder.pause(hands.now + 5)
    moves = hands.move()

    assert (moves.start, moves.give_back) == ([], [surplus])
    assert not any(rung.tag for rung in hands.ladder.rungs)
    hands.move(5)
    assert hands.open(home=True)


def test_a_delivery_that_crosses_a_drain_is_given_back_and_not_started(hands):
    hands.ladder.drain()
    late = hands.deliver()

    moves = hands.move()

    assert (moves.start, moves.give_back) == ([], [late])
    assert hands.ladder.idle


def test_tasks_of_a_lost_connection_keep_their_slots_and_count_as_load(hands):
    lost = hands.deliver()
    hands.move()

    hands.ladder.lose_connection()
    hands.move()
    assert lost.lost
    assert [rung.step for rung in hands.open(home=True)] == [1]
    hands.ladder.finish(lost)
    hands.move()

    assert [rung.step for rung in hands.open(home=True)] == [0, 1]


def test_one_rung_waits_in_each_region_abroad_again_when_a_task_from_there_has_ended(hands):
    delivery = hands.deliver(home=False)
    hands.move(MOMENT * 1.1)
    assert len(hands.open(home=False)) == 6

    hands.ladder.finish(delivery)
    for _ in range(10):
        hands.move(1.0)

    assert [rung.step for rung in hands.open(home=False)] == [0] * 5


def begun(slots, load):
    """A ladder of so many slots that began under that load."""
    hands = Hands(slots)
    hands.ladder.set_load(load)
    hands.move()
    hands.move(MOMENT * 1.1)
    return hands


@pytest.mark.parametrize("slots", [1, 4, 8, 16])
def test_every_rung_of_a_ladder_of_any_length_follows_the_load_in_time(slots):
    hands = begun(slots, load=0.0)

    hands.ladder.set_load(0.5)
    for _ in range(60):
        hands.move(1.0)

    expected = [rung.priority for rung in begun(slots, load=0.5).ladder.rungs if rung.tag]
    assert [rung.priority for rung in hands.ladder.rungs if rung.tag] == expected


class Broker(RuleBasedStateMachine):
    """Delivers to any open rung without an unsettled delivery, at any time, as a broker may."""

    @initialize(slots=st.integers(1, 4))
    def begin(self, slots):
        self.hands = Hands(slots)
        self.slots = slots
        self.running = []
        self.unsettled = {}  # a consumer's tag, the delivery that it waits for
        self.crossing = []
        self.draining = False
        self.paused_until = 0.0
        self.move()

    def move(self, seconds=0.0):
        before = {rung: rung.tag for rung in self.hands.ladder.rungs if rung.tag}
        moves = self.hands.move(seconds)
        self.running += moves.start
        self.crossing = [(rung, before[rung]) for rung in moves.close]
        for delivery in moves.give_back:
            assert delivery.rung not in moves.open
            self.settle(delivery)
        assert not {delivery.rung for delivery in self.running if not delivery.lost} & set(moves.open)

    def settle(self, delivery):
        self.unsettled = {tag: held for tag, held in self.unsettled.items() if held is not delivery}

    def hand_over(self, rung, tag):
        delivery = Delivery(rung, next(self.hands.tags), None, self.hands.now)
        self.unsettled[tag] = delivery
        self.hands.ladder.arrive(delivery)

    @rule(data=st.data())
    def deliver(self, data):
        ready = [rung for rung in self.hands.ladder.rungs if rung.tag and rung.tag not in self.unsettled]
        if ready:
            rung = data.draw(st.sampled_from(ready))
            self.hand_over(rung, rung.tag)
        self.move()

    @rule()
    def deliver_what_crossed_a_cancel(self):
        for rung, tag in self.crossing:
            if tag not in self.unsettled:
                self.hand_over(rung, tag)
        self.move()

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data):
        delivery = data.draw(st.sampled_from(self.running))
        self.running.remove(delivery)
        self.hands.ladder.finish(delivery)
        self.settle(delivery)
        self.move()

    @precondition(lambda self: self.running)
    @rule(data=st.data(), waited=st.floats(0, 60))
    def finish_and_find_a_task_abroad(self, data, waited):
        delivery = data.draw(st.sampled_from(self.running))
        self.running.remove(delivery)
        self.hands.ladder.finish(delivery)
        if not delivery.lost and (turns := self.hands.ladder.turns(delivery, self.hands.now)):
            found = Delivery(data.draw(st.sampled_from(turns[:])), next(self.hands.tags), None, self.hands.now)
            found.instead = delivery.rung.home or delivery.instead
            self.hands.ladder.arrive(found, waited)
            self.move()
            assert found in self.running
            assert not delivery.rung.tag or delivery.rung.tag not in self.unsettled or self.hands.ladder.free
        self.settle(delivery)
        self.move()

    @rule(load=st.floats(0, 1))
    def change_load(self, load):
        self.hands.ladder.set_load(load)
        self.move()

    @rule(seconds=st.sampled_from([0.01, 0.1, MOMENT, HOLD, 2.0]))
    def wait(self, seconds):
        self.move(seconds)

    @rule()
    def lose_connection(self):
        self.hands.ladder.lose_connection()
        self.unsettled, self.crossing = {}, []
        self.move()

    @rule(seconds=st.sampled_from([0.2, 5.0]))
    def pause(self, seconds):
        self.paused_until = max(self.paused_until, self.hands.now + seconds)
        self.hands.ladder.pause(self.hands.now + seconds)
        self.move()

    @rule()
    def drain(self):
        self.draining = True
        self.hands.ladder.drain()
        self.move()

    @property
    def closed(self):
        return self.draining or self.hands.now < self.paused_until

    @invariant()
    def no_more_is_started_than_there_are_slots(self):
        assert len(self.running) <= self.slots
        assert self.hands.ladder.free == self.slots - len(self.running)

    @invariant()
    def what_is_held_is_young_and_only_held_when_no_slot_is_free(self):
        for delivery in self.held():
            assert self.hands.now - delivery.arrived < HOLD
            assert self.hands.ladder.free == 0

    @invariant()
    def a_free_slot_has_an_open_rung_at_home_that_waits(self):
        if not self.closed:
            waiting = [rung for rung in self.hands.open(home=True) if rung.tag not in self.unsettled]
            assert len(waiting) >= self.hands.ladder.free

    @invariant()
    def a_closed_ladder_holds_nothing_and_listens_to_nothing(self):
        if self.closed:
            assert not any(rung.tag for rung in self.hands.ladder.rungs)
            assert not self.held()
            assert self.hands.ladder.idle is not bool(self.running)

    def held(self):
        running = set(map(id, self.running))
        return [delivery for delivery in self.unsettled.values() if id(delivery) not in running]


TestBroker = Broker.TestCase
TestBroker.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
