"""The third check: processor, memory, disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.health.cpu import check_cpu
from tasks.health.finding import Verdict
from tasks.health.settings import CheckSettings
from tests.health.hand_device import readings

SETTINGS = CheckSettings()


def found(**changes):
    return check_cpu(readings(**changes), SETTINGS)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"temperature": 103.4}, "Its processor has 103 °C; 100 is the most. Clean its fans, or lend less of it."),
        (
            {"memory_left": 100 * 2**20},
            "It has 100 MiB of memory left; 256 is the least. Close programs on it, or lend less of it.",
        ),
        ({"disk_left": 0}, "Its disk has 0 MiB left where its models are; 512 is the least. Free some of it."),
    ],
)
def test_what_is_beyond_a_bound_fails_and_says_what_to_do(changes, sentence):
    finding = found(**changes)

    assert (finding.verdict, finding.reason) == (Verdict.FAILED, sentence)


def test_the_bounds_themselves_are_good_enough():
    assert found(temperature=100.0, memory_left=256 * 2**20, disk_left=512 * 2**20).verdict is Verdict.PASSED


def test_a_temperature_that_is_not_known_is_no_failure():
    assert found(temperature=None).verdict is Verdict.PASSED


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_busy_processor_is_no_failure_its_priority_says_it(load, processor):
    finding = found(load=load, processor=processor)

    assert finding.verdict is Verdict.PASSED
    assert (finding.figures["load"], finding.figures["processor"]) == (load, processor)
