"""The ladder's invariants, against a small model of a broker."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.worker.ladder_hands import Hands
from worker.abroad import MOMENT
from worker.ladder import HOLD, LATE


class Broker(RuleBasedStateMachine):
    """Delivers to any open rung without an unsettled delivery, at any time, as a broker may."""

    @initialize(slots=st.integers(1, 4))
    def begin(self, slots):
        self.hands = Hands(slots)
        self.slots = slots
        self.running = []
        self.taken = {}  # a delivery, and the tag of the consumer that waits for its settlement
        self.crossing = []
        self.draining = False
        self.resting = False
        self.move()

    def move(self, seconds=0.0):
        before = {rung: rung.tag for rung in self.hands.ladder.rungs if rung.tag}
        moves = self.hands.move(seconds)
        self.running += moves.start
        self.crossing = [(rung, before[rung]) for rung in moves.close]
        for delivery in moves.give_back:
            assert delivery.rung not in moves.open
        for delivery in (*moves.give_back, *moves.acknowledge):
            self.taken.pop(delivery, None)
        assert not {delivery.rung for delivery in self.running if not delivery.lost} & set(moves.open)

    def hand_over(self, rung, tag):
        self.taken[self.hands.hand_over(rung)] = tag

    def is_waiting(self, rung):
        return rung.tag and rung.tag not in self.taken.values()

    @rule(data=st.data())
    def deliver(self, data):
        ready = list(filter(self.is_waiting, self.hands.ladder.rungs))
        if ready:
            rung = data.draw(st.sampled_from(ready))
            self.hand_over(rung, rung.tag)
        self.move()

    @rule()
    def deliver_what_crossed_a_cancel(self):
        for rung, tag in self.crossing:
            if tag not in self.taken.values():
                self.hand_over(rung, tag)
        self.move()

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data):
        delivery = data.draw(st.sampled_from(self.running))
        self.running.remove(delivery)
        self.hands.finish(delivery)
        self.move()

    @precondition(lambda self: self.running)
    @rule(data=st.data(), waited=st.floats(0, 60))
    def finish_and_find_a_task_abroad(self, data, waited):
        delivery = data.draw(st.sampled_from(self.running))
        self.running.remove(delivery)
        self.hands.finish(delivery)
        if not delivery.lost and (turns := self.hands.ladder.turns(delivery, self.hands.now)):
            rung, instead = data.draw(st.sampled_from(turns[:])), delivery.rung.home or delivery.instead
            found = self.hands.hand_over(rung, waited, instead=instead)
            self.move()
            assert found in self.running
            assert not self.is_waiting(delivery.rung) or self.hands.ladder.free
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
        self.hands.lose_connection()
        self.taken, self.crossing = {}, []
        self.move()

    @rule(sound=st.booleans())
    def change_standing(self, sound):
        self.hands.ladder.set_sound(sound)
        self.move()

    @rule(resting=st.booleans())
    def rest(self, resting):
        self.resting = resting
        self.hands.ladder.rest(resting)
        self.move()

    @rule()
    def drain(self):
        self.draining = True
        self.hands.ladder.drain()
        self.move()

    @property
    def closed(self):
        return self.draining or self.resting

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
            assert len(list(filter(self.is_waiting, self.hands.open(home=True)))) >= self.hands.ladder.free

    @invariant()
    def a_closed_ladder_holds_nothing_and_listens_to_nothing(self):
        if self.closed:
            assert not any(rung.tag for rung in self.hands.ladder.rungs)
            assert not self.held()
            assert self.hands.ladder.idle is not bool(self.running)

    @invariant()
    def nothing_that_has_ended_stays_unacknowledged_while_a_slot_is_free_or_for_long(self):
        for delivery in self.ended():
            assert self.hands.ladder.free == 0 or not delivery.rung.home
            assert self.hands.now - self.hands.ladder._ended[delivery] < LATE

    def ended(self):
        return [delivery for delivery in self.hands.unsettled if delivery in self.hands.ladder._ended]

    def held(self):
        return [d for d in self.hands.unsettled if d not in self.running and d not in self.hands.ladder._ended]


TestBroker = Broker.TestCase
TestBroker.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
