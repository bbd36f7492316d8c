"""The omniscient bound, on fleets small enough to do by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.placement.bound import bound, central_queue, earliest_completion
from bench.placement.fleet import Arrival, Machine, arrivals, fleet
from broker_config.regions import Region

FAST, SLOW = Machine(Region.ASIA, 2.0, 1), Machine(Region.EUROPE, 1.0, 1)


def tasks(*pairs):
    return [Arrival(at, Region.ASIA, work) for at, work in pairs]


@pytest.mark.parametrize("scheduler", [earliest_completion, central_queue, bound])
def test_a_single_task_goes_to_the_fastest_device(scheduler):
    assert scheduler([SLOW, FAST], tasks((5.0, 4.0))) == [2.0]


def test_the_earliest_completion_may_be_behind_another_task():
    assert earliest_completion([SLOW, FAST], tasks((0.0, 1.0), (0.0, 4.0))) == [0.5, 2.5]


def test_the_central_queue_never_lets_a_task_wait_beside_a_free_slot():
    assert central_queue([SLOW, FAST], tasks((0.0, 1.0), (0.0, 4.0))) == [0.5, 4.0]


def test_the_central_queue_keeps_the_order_of_arrival():
    assert central_queue([SLOW], tasks((0.0, 2.0), (1.0, 1.0), (1.0, 1.0))) == [2.0, 2.0, 3.0]


def test_slots_of_a_device_work_side_by_side_at_its_speed():
    two = Machine(Region.ASIA, 1.0, 2)

    assert central_queue([two], tasks((0.0, 1.0), (0.0, 1.0))) == earliest_completion(
        [two], tasks((0.0, 1.0), (0.0, 1.0))
    )


def test_the_bound_is_the_better_of_the_two():
    assert bound([SLOW, FAST], tasks((0.0, 1.0), (0.0, 4.0))) == [0.5, 2.5]


@given(seed=st.integers(0, 10_000), spread=st.sampled_from([1.0, 3.0, 10.0]), busy=st.floats(0.1, 0.95))
def test_no_task_is_done_sooner_than_the_fastest_device_could(seed, spread, busy):
    chosen = random.Random(seed)
    machines = fleet(6, 2, spread, chosen)
    arriving = arrivals(machines, busy, 0.5, 10.0, chosen)
    fastest = max(machine.speed for machine in machines)

    for scheduler in (earliest_completion, central_queue):
        taken = scheduler(machines, arriving)
        assert len(taken) == len(arriving)
        assert all(time >= task.work / fastest - 1e-9 for time, task in zip(taken, arriving, strict=True))


@given(seed=st.integers(0, 10_000))
def test_no_more_tasks_run_at_once_than_there_are_slots(seed):
    chosen = random.Random(seed)
    machines = [Machine(Region.ASIA, 1.0, 2)]  # of one speed, so that a task's run is the last of its time
    arriving = arrivals(machines, 0.9, 0.5, 10.0, chosen)
    ends = [t.at + taken for t, taken in zip(arriving, central_queue(machines, arriving), strict=True)]
    runs = [(end - task.work, end) for task, end in zip(arriving, ends, strict=True)]

    for begin, _ in runs:
        assert sum(1 for other, end in runs if other <= begin + 1e-9 < end - 1e-9) <= 2
