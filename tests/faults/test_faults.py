"""Faults on a whole network of real processes: what runs is done elsewhere, the right device is blamed, or nobody."""

import contextlib
import time

import psutil
import pytest

from registry.device_state import DeviceState
from registry.tables import EventKind
from soak.load import MODELS
from tests.faults.faulted import ASIA_1, ASIA_2, DEADLINE, EUROPE, PERIOD, Faulted

# All of these tests use the same network, so the same process has to run them.
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("faults"), pytest.mark.timeout(300)]

BY_ID = {place.id: place for place in (ASIA_1, ASIA_2, EUROPE)}


def running(faulted: Faulted, until, seconds: float = 3.0):
    """Return a job that runs for so long, and where."""
    [job] = faulted.submit(f"take {seconds}")
    until(lambda: faulted.runs(job))
    return job, BY_ID[faulted.runs(job)]


def test_the_task_of_a_killed_device_begins_elsewhere_within_a_second_and_that_device_is_blamed(faulted, until):
    job, place = running(faulted, until)

    faulted.network.kept[place.id].kill()
    killed = time.monotonic()

    until(lambda: faulted.runs(job) != place.id, 10)
    assert time.monotonic() - killed < 1.0
    job.result(20)
    until(lambda: faulted.charged(place) == [EventKind.VANISHED], 30)
    until(faulted.is_well, 30)
    assert not any(faulted.charged(other) for other in BY_ID.values() if other is not place)


def test_a_short_freeze_costs_nobody_anything(faulted, until):
    job, place = running(faulted, until)

    faulted.process(place).suspend()
    frozen = time.monotonic()
    until(lambda: time.monotonic() - frozen > 1.0)
    faulted.process(place).resume()

    job.result(20)
    until(lambda: faulted.cycles() >= 2 and faulted.is_well(), 30)
    assert faulted.nobody_is_charged()


def test_a_frozen_device_is_taken_out_and_comes_back_when_it_answers(faulted, until):
    job, place = running(faulted, until)

    faulted.process(place).suspend()
    frozen = time.monotonic()

    until(lambda: faulted.runs(job) != place.id, 30)
    assert time.monotonic() - frozen < 2 * PERIOD + DEADLINE + 3  # the cycle that runs, the next one, and its grace
    until(lambda: faulted.state(place) is DeviceState.INACTIVE, 10)
    faulted.process(place).resume()
    job.result(20)
    until(faulted.is_well, 30)
    until(lambda: faulted.cycles() >= 2, 30)
    assert set(faulted.charged(place)) <= {EventKind.VANISHED, EventKind.SILENT}
    assert not any(faulted.charged(other) for other in BY_ID.values() if other is not place)


def test_a_device_whose_network_is_cut_is_taken_out_and_comes_back_with_it(faulted, until):
    job, place = running(faulted, until)

    faulted.network.ways[place.id].cut()

    until(lambda: faulted.state(place) is DeviceState.INACTIVE, 20)
    until(lambda: faulted.runs(job) != place.id, 20)
    job.result(20)
    faulted.network.ways[place.id].heal()
    until(faulted.is_well, 60)
    assert not any(faulted.charged(other) for other in BY_ID.values() if other is not place)


def test_a_slow_network_is_no_failure(faulted, until):
    faulted.network.ways[EUROPE.id].slow(0.1)
    jobs = faulted.submit("take 0.05", 20)

    until(lambda: faulted.cycles() >= 3, 30)

    assert [job.result(30) is not None for job in jobs] == [True] * 20
    assert faulted.is_well()
    assert faulted.nobody_is_charged()
    assert faulted.health(EUROPE).round_trip > 0.2


def test_a_device_that_answers_probes_and_fails_every_task_is_found_and_eats_no_queue(faulted, until):
    sign = faulted.network.poison / ASIA_1.id
    sign.touch()
    try:
        jobs = faulted.submit("take 0.3", 60)  # more than the others have slots for
        assert all(job.result(60) is not None for job in jobs)
        until(lambda: EventKind.TASK_FAILED in faulted.charged(ASIA_1), 30)
    finally:
        sign.unlink()

    assert len([k for k in faulted.charged(ASIA_1) if k is EventKind.TASK_FAILED]) < 10
    assert not faulted.charged(ASIA_2)
    assert not faulted.charged(EUROPE)
    until(faulted.is_well, 60)


def test_half_of_the_fleet_that_goes_at_once_is_nobodys_fault(faulted, until):
    gone = (ASIA_1, ASIA_2)
    for place in gone:
        faulted.network.kept[place.id].kill(hold=True)

    until(lambda: all(faulted.state(place) is DeviceState.INACTIVE for place in gone), 3 * PERIOD + DEADLINE + 5)
    [job] = faulted.submit("short")
    assert job.result(20) is not None
    for place in gone:
        faulted.network.kept[place.id].start()

    until(faulted.is_well, 30)
    until(lambda: faulted.cycles() >= 4, 30)
    assert faulted.nobody_is_charged()


@pytest.mark.parametrize("part", ["beat", "platform", "recorder"])
def test_a_part_of_the_platform_that_is_killed_costs_no_device_anything(faulted, until, part):
    jobs = faulted.submit("take 0.5", 6)
    until(lambda: faulted.cycles() >= 1, 20)

    faulted.network.kept[part].kill()
    faulted.begin()

    assert [job.result(60) is not None for job in jobs] == [True] * 6
    until(lambda: faulted.cycles() >= 2, 40)
    assert faulted.is_well()
    assert faulted.nobody_is_charged()


def test_a_broker_that_crashes_in_a_cycle_costs_no_device_anything(faulted, until):
    jobs = faulted.submit("take 2", 6)
    until(lambda: faulted.cycles() >= 1, 20)
    processes = faulted.network.node.processes()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process.name().startswith(("beam", "erl")):
                process.kill()
    psutil.wait_procs(processes, timeout=30)

    faulted.network.node.start(lifeline=True)
    faulted.begin()

    assert [job.result(60) is not None for job in jobs] == [True] * 6
    until(lambda: faulted.cycles() >= 2 and faulted.is_well(), 60)
    assert faulted.nobody_is_charged()


def test_all_is_well_in_the_end_and_every_task_was_answered(faulted, until):
    jobs = faulted.submit("short", 20)

    assert [job.result(20) is not None for job in jobs] == [True] * 20
    until(lambda: faulted.cycles() >= 2, 20)
    assert faulted.is_well()
    assert {job.reports[-1].device for job in jobs} <= set(BY_ID)
    assert MODELS[0] == jobs[0].model
