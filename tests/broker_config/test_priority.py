"""The one integer by which the broker schedules."""

from hypothesis import given
from hypothesis import strategies as st

from broker_config.priority import GOOD_STANDING, priority
from broker_config.regions import Region, distance

REGIONS = st.sampled_from(Region)
LOADS = st.floats(0.0, 1.0)


@given(REGIONS, REGIONS, st.floats(allow_nan=False))
def test_a_priority_is_an_integer_from_0_to_127_whatever_the_load(home, queue, load):
    value = priority(home=home, queue=queue, load=load)

    assert isinstance(value, int)
    assert GOOD_STANDING <= value <= 127


@given(REGIONS, REGIONS, LOADS, LOADS)
def test_less_load_is_never_a_lower_priority(home, queue, one, other):
    idle, busy = sorted((one, other))

    assert priority(home=home, queue=queue, load=idle) >= priority(home=home, queue=queue, load=busy)


@given(REGIONS, REGIONS, REGIONS, LOADS)
def test_a_nearer_device_never_has_a_lower_priority(queue, one, other, load):
    near, far = sorted((one, other), key=lambda home: distance(home, queue))

    assert priority(home=near, queue=queue, load=load) >= priority(home=far, queue=queue, load=load)


def test_a_load_of_30_percent_beats_60_percent():
    asia = Region.ASIA

    assert priority(home=asia, queue=asia, load=0.3) > priority(home=asia, queue=asia, load=0.6)


def test_a_device_in_asia_beats_a_like_one_in_europe_for_a_task_from_asia():
    at_home = priority(home=Region.ASIA, queue=Region.ASIA, load=0.5)

    assert at_home > priority(home=Region.EUROPE, queue=Region.ASIA, load=0.5)


def test_an_idle_device_at_the_other_end_of_the_world_beats_a_full_one_at_home():
    abroad = priority(home=Region.AFRICA, queue=Region.OCEANIA, load=0.0)

    assert abroad > priority(home=Region.OCEANIA, queue=Region.OCEANIA, load=1.0)
