"""Simulated fleets and their tasks."""

import random
from statistics import fmean

import pytest

from bench.placement.fleet import REGIONS, arrivals, capacity, fleet


def test_speeds_lie_within_the_spread_and_around_one():
    speeds = [machine.speed for machine in fleet(300, 1, 10.0, random.Random(1))]

    assert max(speeds) / min(speeds) <= 10.0
    assert min(speeds) < 1.0 < max(speeds)


def test_devices_are_spread_over_the_regions():
    assert [machine.region for machine in fleet(4, 1, 3.0, random.Random(1))] == [*REGIONS, REGIONS[0]]


def test_tasks_keep_the_fleet_busy_to_the_share_asked_for():
    machines = fleet(18, 2, 3.0, random.Random(1))
    tasks = arrivals(machines, 0.7, 0.2, 200.0, random.Random(2))

    assert sum(task.work for task in tasks) / (200.0 * capacity(machines)) == pytest.approx(0.7, rel=0.05)
    assert fmean(task.work for task in tasks) == pytest.approx(0.2, rel=0.05)


def test_tasks_are_the_same_for_the_same_seed_and_in_the_order_of_arrival():
    machines = fleet(6, 1, 3.0, random.Random(1))
    one, other = (arrivals(machines, 0.5, 0.2, 20.0, random.Random(2)) for _ in range(2))

    assert one == other
    assert [task.at for task in one] == sorted(task.at for task in one)
