"""Cancelled tasks at devices: never begun, or stopped; real brokers and devices."""

import signal
from datetime import UTC, datetime, timedelta

import pytest

from broker_config import names
from broker_config.link import Link
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import session
from registry.task_tables import Task
from starai.client import Client
from tasks.cancellation import cancel_at_devices
from tasks.enforcement import Enforcement
from tests.worker.conftest import MODEL

HOME = names.task_queue(Region.ASIA, Tier.TINY, MODEL)


@pytest.fixture
def ann(broker):
    """A submitter of a known name."""
    with Client(broker.submitter("ann"), region="asia") as client:
        yield client


@pytest.fixture
def device(broker, start, know):
    """A device with one slot, which the registry knows."""
    return know(start(broker))


@pytest.fixture
def cancel(broker, registry):
    """Return a function that orders devices to leave a job alone, and returns how many were told."""
    link = Link(broker.url(), "a test")
    link.open(5)

    def order(job, model=MODEL):
        until = datetime.now(UTC) + timedelta(minutes=1)
        return cancel_at_devices(
            registry, link, names.PLATFORM, submitter="ann", task=job.id, model=model, expires=until
        )

    yield order
    link.close()


def is_busy(ann, device, until):
    """Let the device run a task that waits at the gate `busy`."""
    job = ann.submit(MODEL, "gate busy")
    until(lambda: device.began("busy"))
    return job


def dropped(device, job):
    return [line for line in device.log.splitlines() if "task.dropped" in line and job.id in line]


def test_a_task_that_is_cancelled_while_it_waits_is_never_begun(broker, device, cancel, ann, gates, until):
    busy = is_busy(ann, device, until)
    waiting = ann.submit(MODEL, "gate never")

    assert cancel(waiting) == 1
    until(lambda: "cancelled=1" in device.log)
    gates.open("busy")

    busy.result(10)
    until(lambda: dropped(device, waiting))
    until(lambda: broker.depth(HOME) == 0)
    assert ann.submit(MODEL, "hello").result(10).shape == (1,)
    assert not device.began("never")
    assert waiting.reports == []


def test_a_task_that_is_cancelled_while_it_runs_stops_and_its_slot_is_free(broker, device, cancel, ann, until):
    running = is_busy(ann, device, until)

    cancel(running)

    assert ann.submit(MODEL, "hello").result(5).shape == (1,)
    until(lambda: running.reports[-1].state == "cancelled")
    assert running.reports[-1].device == device.id
    until(lambda: broker.depth(HOME) == 0)


def test_a_cancelled_task_stops_alone(broker, start, know, cancel, ann, gates, until):
    device = know(start(broker, slots=2))
    cancelled, other = ann.submit(MODEL, "gate a"), ann.submit(MODEL, "gate b")
    until(lambda: device.began("a") and device.began("b"))

    cancel(cancelled)

    until(lambda: cancelled.done)
    gates.open("b")
    assert other.result(10).shape == (1,)


def test_devices_of_other_models_are_not_told(device, cancel, ann, until):
    running = is_busy(ann, device, until)

    assert cancel(running, model="phi3-3-8b") == 0
    assert cancel(running, model=None) == 1


def test_a_device_at_rest_hears_it_too_and_does_not_begin_the_task_when_it_is_back(
    broker, registry, device, cancel, ann, until
):
    enforcement = Enforcement(registry, broker.node.api, broker.url())
    enforcement.deactivate(device.id, "a test", grace=5)
    waiting = ann.submit(MODEL, "gate never")
    cancel(waiting)

    enforcement.activate(device.id, "a test")

    assert ann.submit(MODEL, "hello").result(20).shape == (1,)
    assert dropped(device, waiting)


def test_a_device_that_was_away_asks_what_was_cancelled_before_it_takes_a_task(
    broker, platform, registry, device, ann, until
):
    device.signal(signal.SIGSTOP)
    until(lambda: len(device.connections()) == 2)
    waiting = ann.submit(MODEL, "gate never")
    for connection in device.connections():
        broker.node.api.close_connection(connection["name"], "a test")
    with session(registry) as opened:  # no order is sent: it has expired long before the device is back
        opened.add(
            Task(submitter="ann", id=waiting.id, model=MODEL, cancelled_at=datetime.now(UTC), reply_to="reply.ann-1")
        )

    device.signal(signal.SIGCONT)

    assert ann.submit(MODEL, "hello").result(20).shape == (1,)
    until(lambda: dropped(device, waiting))
    assert not device.began("never")
    assert "task.uncleared" not in device.log


def test_a_lease_that_the_submitter_asked_for_is_what_the_model_gets(device, ann):
    assert ann.submit(MODEL, "lease", lease=7).result(10).tolist() == [7.0]
    assert ann.submit(MODEL, "lease").result(10).tolist() == [60.0]
