import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.deployments import Planned, deploy, rates_of
from registry.devices import enrol_device
from registry.speed import relative_speed

RATES = st.floats(1e-3, 1e6)


def test_the_median_is_in_the_middle() -> None:
    assert relative_speed(50.0, [10.0, 50.0, 400.0]) == 0.5
    assert relative_speed(7.0, [7.0]) == 0.5


def test_a_device_with_nobody_to_compare_with_is_in_the_middle() -> None:
    assert relative_speed(50.0, []) == 0.5


@pytest.mark.parametrize(("factor", "speed"), [(math.sqrt(10), 1.0), (100.0, 1.0), (1 / math.sqrt(10), 0.0), (0.01, 0)])
def test_a_tenfold_span_around_the_median_reaches_from_nothing_to_one(factor: float, speed: float) -> None:
    assert relative_speed(20.0 * factor, [10.0, 20.0, 40.0]) == pytest.approx(speed)


def test_twice_as_fast_is_the_same_distance_everywhere() -> None:
    rates = [30.0] * 3
    steps = [relative_speed(rate, rates) for rate in (15.0, 30.0, 60.0)]
    assert steps[2] - steps[1] == pytest.approx(steps[1] - steps[0]) == pytest.approx(math.log10(2))


@given(RATES, RATES, st.lists(RATES, max_size=20))
def test_the_faster_device_is_never_behind(one: float, other: float, rates: list[float]) -> None:
    slow, fast = sorted([one, other])
    assert 0.0 <= relative_speed(slow, rates) <= relative_speed(fast, rates) <= 1.0


def test_the_rates_of_a_model_are_those_of_devices_that_measured_it(registry: Session) -> None:
    for number, rate in enumerate([55.5, None, 70.0], start=1):
        enrol_device(registry, f"device-{number}", "ada", Region.EUROPE)
        deploy(registry, f"device-{number}", [Planned("phi3-3.8b", Tier.MEDIUM, 2, 4, rate)])
    assert sorted(rates_of(registry, "phi3-3.8b")) == [55.5, 70.0]
    assert rates_of(registry, "llama3-8b") == []
