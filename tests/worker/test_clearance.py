"""Tasks that came back are started once the platform clears them: real brokers, devices that die, a registry."""

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import session
from registry.task_state import Action, Outcome, TaskState
from registry.task_tables import Attempt, Task, TaskAction
from starai.client import Client
from starai.errors import Expired, FailedOnDevice
from starai.submission import task_properties
from starai.wire import State
from tasks.inference import ATTEMPTS
from tests.worker.conftest import MODEL
from worker.clearance import CLEARED_WITHIN

HOME = names.task_queue(Region.ASIA, Tier.TINY, MODEL)


@pytest.fixture
def ann(broker):
    """A submitter of a known name."""
    with Client(broker.submitter("ann"), region="asia") as client:
        yield client


@pytest.fixture
def rows(registry):
    """Return a function that gives all rows of a table."""

    def read(table):
        with session(registry) as opened:
            return list(opened.exec(select(table)))

    return read


def fleet(broker, start, know, until, consumers, count):
    started = [know(start(broker, wait=False)) for _ in range(count)]
    until(lambda: consumers() == [count] * 6)
    return started


def record(registry, job, **known):
    """Write down what the recorder would of a task."""
    with session(registry) as opened:
        opened.add(Task(submitter="ann", id=job.id, model=MODEL, target=MODEL, region="asia", **known))


def in_a_minute():
    return datetime.now(UTC) + timedelta(minutes=1)


def test_a_task_that_kills_every_device_takes_down_as_many_as_it_has_attempts_and_its_submitter_hears_why(
    broker, platform, start, know, until, consumers, rows, ann
):
    killed = fleet(broker, start, know, until, consumers, ATTEMPTS + 2)

    job = ann.submit(MODEL, "kill")

    with pytest.raises(FailedOnDevice, match="begun 3 times, and each time the device ended or failed"):
        job.result(40)
    until(lambda: broker.depth(HOME) == 0)
    assert sum(device.process.poll() is not None for device in killed) == ATTEMPTS
    assert [attempt.outcome for attempt in rows(Attempt) if attempt.cleared] == [Outcome.LOST] * (ATTEMPTS - 1)
    assert [(action.action, action.task) for action in rows(TaskAction)] == [(Action.FAILED, job.id)]
    assert ann.submit(MODEL, "hello").result(10).shape == (1,)


def test_a_task_that_no_device_can_do_is_begun_as_often_as_it_has_attempts_whatever_its_queue_counts(
    broker, platform, start, know, until, consumers, ann
):
    begun = fleet(broker, start, know, until, consumers, ATTEMPTS + 2)

    with pytest.raises(FailedOnDevice, match="the model crashed"):
        ann.submit(MODEL, "crash").result(40)

    logs = [device.log for device in begun]
    assert sum(log.count("task.failed") for log in logs) == ATTEMPTS - 1
    assert sum(log.count("task.given_up") for log in logs) == 1


@pytest.fixture
def second(broker, start, know, until, consumers, gates, ann, registry):
    """Return a function that lets a device die of a gate; what the ledger knows; and returns the job and the next."""

    def hand_on(**known):
        first = know(start(broker))
        job = ann.submit(MODEL, "gate a")
        until(lambda: first.began("a"))
        if known:
            record(registry, job, **known)
        second = know(start(broker, "europe"))
        first.signal(signal.SIGKILL)
        return job, second

    return hand_on


def test_a_task_whose_device_died_is_cleared_and_done_by_another(platform, second, gates, until, rows, registry):
    job, other = second(expires_at=in_a_minute())

    until(lambda: other.began("a"))
    gates.open("a")

    assert job.result(10).shape == (1,)
    attempt = next(attempt for attempt in rows(Attempt) if attempt.cleared)
    assert (attempt.device, attempt.task, attempt.run) == (other.id, job.id, job.reports[-1].run)


def test_a_task_that_came_back_though_it_is_done_is_not_run_again(broker, platform, second, until):
    _, other = second(state=TaskState.SUCCEEDED)

    until(lambda: "task.dropped" in other.log)

    until(lambda: broker.depth(HOME) == 0)
    assert not other.began("a")
    assert "It has succeeded already" in other.log


def test_a_task_that_came_back_after_its_deadline_is_not_run_and_its_submitter_hears_so(platform, second, rows):
    job, other = second(expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(Expired):
        job.result(10)

    assert not other.began("a")
    assert job.reports[-1].device is None
    assert [action.action for action in rows(TaskAction)] == [Action.EXPIRED]


def test_without_the_platform_a_task_that_came_back_is_started_after_a_while(second, until):
    _, other = second()
    came_back = time.monotonic()

    until(lambda: other.began("a"), CLEARED_WITHIN + 5)

    assert time.monotonic() - came_back >= CLEARED_WITHIN - 0.1
    assert "task.uncleared" in other.log


def test_what_was_not_cleared_is_told_of_before_it_can_end_its_device(broker, start, until, ann):
    killed = [start(broker), start(broker, "europe")]

    job = ann.submit(MODEL, "kill")

    until(lambda: all(device.process.poll() is not None for device in killed), 20)
    until(lambda: any(report.state is State.STARTED for report in job.reports))


def test_a_task_that_never_came_back_waits_for_nobody(broker, start, ann):
    start(broker)
    ann.submit(MODEL, "hello").result(10)  # the device has begun to take tasks

    job = ann.submit(MODEL, "hello")

    job.result(10)
    assert job.answered - job.submitted < CLEARED_WITHIN


def test_a_task_that_the_platform_sends_again_is_cleared_and_answered_to_its_submitter(
    broker, platform, start, know, until, ann, rows
):
    job = ann.submit(MODEL, "hello")
    until(lambda: broker.depth(HOME) == 1)
    with broker.channel() as channel:
        channel.queue_purge(HOME)
        device = know(start(broker))
        again = task_properties(job.id, replies(broker), names.PLATFORM, in_a_minute(), None)
        channel.basic_publish(names.INFERENCE, f"asia.{MODEL}", b'[[], {"inputs": "hello"}, {}]', again)

    assert job.result(10).shape == (1,)
    assert [(attempt.device, attempt.cleared) for attempt in rows(Attempt)] == [(device.id, True)]


def replies(broker):
    (queue,) = [q["name"] for q in broker.node.api.definitions(broker.vhost)["queues"] if "reply.ann-" in q["name"]]
    return queue


def test_a_device_that_the_registry_does_not_know_does_as_it_would_without_the_platform(
    broker, platform, start, ann, gates, until, rows
):
    first, other = start(broker), start(broker, "europe")
    ann.submit(MODEL, "gate a")
    until(lambda: first.began("a"))

    first.signal(signal.SIGKILL)

    until(lambda: other.began("a"), CLEARED_WITHIN)
    assert rows(Attempt) == []
