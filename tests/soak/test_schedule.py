"""Which faults come when: pure."""

from itertools import pairwise

import pytest

from soak.schedule import LANES, Kind, schedule

QUARTER = 15 * 60.0


def test_the_same_seed_has_the_same_faults_and_another_one_others():
    assert schedule(1, QUARTER, list(Kind)) == schedule(1, QUARTER, list(Kind))
    assert schedule(1, QUARTER, list(Kind)) != schedule(2, QUARTER, list(Kind))


@pytest.mark.parametrize("seed", range(20))
def test_a_quarter_of_an_hour_has_every_fault(seed):
    assert {fault.kind for fault in schedule(seed, QUARTER, list(Kind))} == set(Kind)


@pytest.mark.parametrize("seed", range(20))
def test_faults_of_a_lane_follow_one_another_and_are_over_in_time(seed):
    faults = schedule(seed, QUARTER, list(Kind))

    for lane in LANES:
        mine = [fault for fault in faults if fault.kind in lane.kinds]
        assert all(first.at + first.seconds + lane.pause[0] <= second.at for first, second in pairwise(mine))
        assert mine[-1].at + mine[-1].seconds <= QUARTER


def test_only_the_kinds_that_are_wanted_come():
    faults = schedule(3, 120.0, [Kind.PURGED])

    assert {fault.kind for fault in faults} == {Kind.PURGED}
    assert len(faults) > 10


def test_without_kinds_there_are_no_faults():
    assert schedule(3, QUARTER, []) == []


def test_a_short_run_has_short_faults_but_none_that_is_shorter_than_a_lease():
    lasts = {fault.seconds for seed in range(20) for fault in schedule(seed, 120.0, [Kind.RECORDER_STOPPED])}
    frozen = {fault.seconds for seed in range(20) for fault in schedule(seed, 60.0, [Kind.DEVICE_FROZEN])}

    assert (lasts, frozen) == ({30.0}, {20.0})
