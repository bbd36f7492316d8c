"""The ladder's rules, without a broker."""

import pytest

from broker_config.priority import GOOD_STANDING
from broker_config.regions import Region
from tests.worker.ladder_hands import Hands
from worker.abroad import FULL, MOMENT
from worker.ladder import HOLD, LATE
from worker.prices import REPRICE


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


def test_rungs_abroad_close_when_no_slot_has_been_free_for_long_and_not_before(hands):
    hands.deliver(), hands.deliver()

    hands.move()
    hands.move(FULL * 0.9)
    assert len(hands.open(home=False)) == 5
    hands.move(FULL * 0.2)

    assert hands.open(home=False) == []
    assert len(hands.open(home=True)) == 2


def test_rungs_abroad_open_when_a_slot_has_been_free_for_a_moment_and_not_before(hands):
    first, _ = hands.deliver(), hands.deliver()
    hands.move()
    hands.move(FULL * 1.1)

    hands.finish(first)
    hands.move()
    hands.move(MOMENT * 0.9)
    assert hands.open(home=False) == []
    hands.move(MOMENT * 0.2)

    assert len(hands.open(home=False)) == 5


def test_rungs_abroad_close_though_every_end_of_a_task_leaves_a_slot_free_until_the_next_one_comes(hands):
    running = [hands.deliver(), hands.deliver()]
    hands.move()

    for _ in range(10):
        hands.move(FULL / 9)
        hands.finish(running.pop(0))
        hands.move()
        running.append(hands.deliver())
        hands.move(0.01)

    assert hands.open(home=False) == []


def test_a_surplus_waits_for_a_slot_and_is_started_in_its_turn(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    surplus = hands.deliver()
    assert hands.move().start == []

    hands.finish(first)

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


def test_a_task_is_acknowledged_when_it_ends_and_its_slot_is_free(hands):
    delivery = hands.deliver()
    hands.move()

    hands.finish(delivery)

    assert hands.move().acknowledge == [delivery]


def test_an_acknowledgement_waits_while_a_surplus_has_the_slot(hands):
    first, second = hands.deliver(), hands.deliver(home=False)
    hands.move()
    surplus = hands.deliver()

    hands.finish(first)
    assert hands.move().acknowledge == []
    assert len(hands.open(home=True)) == 2
    hands.finish(surplus)

    assert hands.move().acknowledge == [first, surplus]
    assert second in hands.unsettled


def test_an_acknowledgement_that_has_waited_for_long_comes_with_the_end_of_its_rung(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    hands.deliver()
    hands.finish(first)
    hands.move(LATE * 0.9)

    moves = hands.move(LATE * 0.2)

    assert (moves.acknowledge, moves.close) == ([first], [first.rung])


def test_a_device_that_waits_with_an_acknowledgement_is_not_idle(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    hands.finish(first)

    assert not hands.ladder.idle


def test_a_ladder_at_rest_closes_every_rung_gives_back_what_it_holds_and_starts_nothing(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    surplus = hands.deliver()
    hands.move()

    hands.finish(first)
    hands.ladder.rest(True)
    moves = hands.move()

    assert (moves.start, moves.give_back) == ([], [surplus])
    assert not any(rung.tag for rung in hands.ladder.rungs)
    hands.ladder.rest(False)
    hands.move()
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

    hands.lose_connection()
    hands.move()
    assert lost.lost
    assert [rung.step for rung in hands.open(home=True)] == [1]
    hands.finish(lost)
    hands.move()

    assert [rung.step for rung in hands.open(home=True)] == [0, 1]


def test_one_rung_waits_in_each_region_abroad_again_when_a_task_from_there_has_ended(hands):
    delivery = hands.deliver(home=False)
    hands.move(MOMENT * 1.1)
    assert len(hands.open(home=False)) == 6

    hands.finish(delivery)
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


@pytest.mark.parametrize("slots", [1, 4, 16])
def test_every_rung_follows_the_standing_in_time(slots):
    hands = begun(slots, load=0.0)
    before = {rung: rung.priority for rung in hands.ladder.rungs if rung.tag}

    hands.ladder.set_sound(False)
    for _ in range(60):
        hands.move(1.0)

    assert {rung: rung.priority + GOOD_STANDING for rung in hands.ladder.rungs if rung.tag} == before


def test_a_device_that_is_never_idle_loses_its_band_all_the_same():
    hands = begun(2, load=0.0)
    hands.ladder.set_sound(False)

    for _ in range(60):  # each task ends as the next one comes
        busy = [hands.hand_over(rung) for rung in hands.open(home=True)]
        hands.move(REPRICE)
        [hands.finish(delivery) for delivery in busy]
        hands.move()

    assert all(rung.priority < GOOD_STANDING for rung in hands.open(home=True))


def test_a_rung_in_the_wrong_band_ends_its_task_before_it_is_opened_anew(hands):
    delivery = hands.deliver()
    hands.move()
    hands.ladder.set_sound(False)

    hands.move(REPRICE)
    assert delivery.rung.tag is None
    hands.finish(delivery)
    moves = hands.move()

    assert moves.acknowledge == [delivery]
    assert delivery.rung in moves.open
    assert delivery.rung.priority < GOOD_STANDING


def test_a_ladder_tells_how_many_tasks_run_wait_and_are_not_settled(hands):
    first, _ = hands.deliver(), hands.deliver(home=False)
    hands.move()
    hands.deliver()
    hands.finish(first)
    counted = hands.ladder

    assert (counted.running, counted.held, counted.unsettled, counted.consumers) == (1, 1, 1, 7)
