"""What counts as load, and how seldom it moves."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.load import REST, TIGHT, LoadMeter, Use, pressure

SHARES = st.floats(0, 1)
GAPS = st.floats(0.05, 20)


def moves(series):
    """Return when the step moved, and to what, for samples with the seconds before each."""
    meter, now, found = LoadMeter(), 0.0, []
    for gap, load in series:
        now, before = now + gap, meter.step
        meter.sample(load, now)
        if meter.step != before:
            found.append((now, meter.step))
    return found


def square_wave(period, seconds, begin):
    """Return samples, half a second apart, of a load that is all or nothing in turn."""
    return [(0.5, float((int(n / 2 // (period / 2)) + begin) % 2)) for n in range(2 * seconds)]


@given(st.lists(st.tuples(GAPS, SHARES), max_size=60))
def test_the_step_moves_at_most_once_in_five_seconds_and_is_a_tenth(series):
    found = moves(series)

    assert REST == 5.0
    assert all(later - sooner >= REST for (sooner, _), (later, _) in pairwise(found))
    assert {step for _, step in found} <= {tenths / 10 for tenths in range(11)}


@given(st.lists(st.tuples(GAPS, SHARES), max_size=20), SHARES)
def test_a_constant_load_is_reached_within_a_step_and_then_stays(before, load):
    meter, now = LoadMeter(), 0.0
    for gap, sample in [*before, *[(1.0, load)] * 120]:
        now += gap
        meter.sample(sample, now)
    reached = meter.step

    assert abs(reached - load) < 0.1
    for _ in range(60):
        now += 1.0
        meter.sample(load, now)
    assert meter.step == reached


@pytest.mark.parametrize("load", [0.0, 1.0])
@given(st.lists(st.tuples(GAPS, SHARES), max_size=20))
def test_nothing_and_everything_are_reached_exactly(load, before):
    meter, now = LoadMeter(), 0.0
    for gap, sample in [*before, *[(1.0, load)] * 120]:
        now += gap
        meter.sample(sample, now)

    assert meter.step == load


@pytest.mark.parametrize("period", [1, 2])
@pytest.mark.parametrize("begin", [0, 1])
def test_a_load_that_swings_every_second_comes_to_rest_in_the_middle(period, begin):
    found = moves(square_wave(period, 600, begin))

    assert found[-1][1] == pytest.approx(0.5, abs=0.1)
    assert found[-1][0] < 60
    assert all(later - sooner >= REST for (sooner, _), (later, _) in pairwise(found))


@given(SHARES, st.floats(0, 0.04))
def test_a_swing_within_the_hysteresis_comes_to_rest_wherever_it_is(middle, swing):
    low, high = max(middle - swing, 0.0), min(middle + swing, 1.0)
    found = moves([(1.0, middle)] * 60 + [(20.0, high), (20.0, low)] * 50)

    # One last move in each direction at most: the gap of 20 s is long enough for all of a swing to be seen.
    assert len([step for at, step in found if at > 60]) <= 2


def test_a_device_that_has_just_begun_is_under_no_load():
    meter = LoadMeter()
    meter.sample(1.0, 1000.0)

    assert meter.step == 0.0


def test_most_of_a_new_load_shows_within_twenty_seconds():
    assert max(step for at, step in moves([(1.0, 1.0)] * 21)) >= 0.8


def test_what_is_scarcest_counts():
    assert pressure(Use(cpu=0.2, gpu=0.7, memory=0.5, gpu_memory=0.1)) == 0.7
    assert pressure(Use(cpu=0.8, gpu=0.7)) == 0.8


@pytest.mark.parametrize("kind", ["memory", "gpu_memory"])
def test_memory_counts_only_where_it_is_tight(kind):
    assert pressure(Use(**{kind: TIGHT})) == 0.0
    assert pressure(Use(**{kind: (TIGHT + 1) / 2})) == pytest.approx(0.5)
    assert pressure(Use(**{kind: 1.0})) == pytest.approx(1.0)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5))
def test_whatever_sensors_read_the_load_is_a_share(cpu, memory, gpu, gpu_memory):
    assert 0.0 <= pressure(Use(cpu, memory, gpu, gpu_memory)) <= 1.0
