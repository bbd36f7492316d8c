"""The one integer by which the broker schedules."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.priority import GOOD_STANDING, priority
from broker_config.regions import Region, distance

REGIONS = st.sampled_from(Region)
LOADS = st.floats(0.0, 1.0)
SPEEDS = st.floats(0.0, 1.0)
PAIRS = pytest.mark.parametrize(("home", "other"), list(itertools.permutations(Region, 2)))


@given(REGIONS, REGIONS, st.floats(allow_nan=False), st.floats(allow_nan=False), st.booleans())
def test_a_priority_is_an_integer_from_0_to_127_whatever_the_device(home, queue, load, speed, sound):
    value = priority(home=home, queue=queue, load=load, speed=speed, sound=sound)

    assert isinstance(value, int)
    assert 0 <= value <= 127


@given(REGIONS, REGIONS, REGIONS, LOADS, LOADS, SPEEDS, SPEEDS)
def test_any_sound_device_comes_before_any_that_is_not(queue, one, other, load, other_load, speed, other_speed):
    failing = priority(home=other, queue=queue, load=other_load, speed=other_speed, sound=False)

    assert failing < GOOD_STANDING <= priority(home=one, queue=queue, load=load, speed=speed)


@given(REGIONS, REGIONS, LOADS, LOADS)
def test_less_load_is_never_a_lower_priority(home, queue, one, other):
    idle, busy = sorted((one, other))

    assert priority(home=home, queue=queue, load=idle) >= priority(home=home, queue=queue, load=busy)


@given(REGIONS, REGIONS, REGIONS, LOADS)
def test_a_nearer_device_never_has_a_lower_priority(queue, one, other, load):
    near, far = sorted((one, other), key=lambda home: distance(home, queue))

    assert priority(home=near, queue=queue, load=load) >= priority(home=far, queue=queue, load=load)


@given(REGIONS, REGIONS, LOADS, SPEEDS, SPEEDS)
def test_a_faster_device_never_has_a_lower_priority(home, queue, load, one, other):
    slow, fast = sorted((one, other))

    slower = priority(home=home, queue=queue, load=load, speed=slow)
    assert priority(home=home, queue=queue, load=load, speed=fast) >= slower


@given(REGIONS, REGIONS, SPEEDS)
def test_30_percent_load_beats_60_percent_everywhere(home, queue, speed):
    busier = priority(home=home, queue=queue, load=0.6, speed=speed)

    assert priority(home=home, queue=queue, load=0.3, speed=speed) > busier


@PAIRS
@given(LOADS, st.floats(-0.1, 0.1), SPEEDS)
def test_home_beats_abroad_under_similar_load(home, other, load, difference, speed):
    abroad = priority(home=other, queue=home, load=load, speed=speed)

    assert priority(home=home, queue=home, load=load + difference, speed=speed) > abroad


@PAIRS
@given(SPEEDS)
def test_nearly_idle_abroad_beats_nearly_full_at_home(home, other, speed):
    full = priority(home=home, queue=home, load=0.9, speed=speed)

    assert priority(home=other, queue=home, load=0.1, speed=speed) > full
