"""A phone is locked, closed, or loses its network: that costs it nothing, unless it loses most of its tasks."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from registry.blame import lately
from registry.columns import now
from registry.database import reading, session
from registry.standing_rule import COSTS
from registry.tables import EventKind
from registry.task_state import Outcome
from registry.task_tables import Attempt
from starai.wire import State
from tasks.health.blame_rule import FEWEST_LOST, loses_most
from tests.health.blame_scene import Scene
from tests.tasks.hand_phone import phone


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def scene(broker, engine, stack):
    return Scene(broker, engine, stack)


@pytest.fixture
def goes(scene, stack, until):
    """Return a function that lets a phone go in mid-task, after it lost so many, and another device do the task."""

    def go(lost_before=0):
        until(lambda: scene.broker.node.api.uptime() > 30, 60)  # what began at its start is excused, about as it tells
        device, other = phone(scene, "phone-1", stack), scene.device("device-2")
        add_losses(scene, lost_before)
        [task] = scene.submitter.submit()
        device.say(device.take(), State.STARTED)
        until(lambda: scene.outcome(device, task))
        device.control.close()
        device.tasks.close()
        until(lambda: not scene.broker.node.api.connections_of(device.id))
        taken = other.take()
        scene.asks(other, task)
        scene.does(until, other, [taken])
        assert scene.outcome(device, task) is Outcome.LOST
        return task

    return go


def add_losses(scene, count, device="phone-1"):
    """Let it be known already what to make of so many tasks that a phone lost an hour ago."""
    at = now() - timedelta(hours=1)
    with session(scene.engine) as registry:
        for number in range(count):
            key = {"submitter": "ann", "task": f"lost-{number}", "run": f"{device}.{number}", "device": device}
            times = {"started_at": at, "ended_at": at, "judged_at": at}
            registry.add(Attempt(**key, **times, outcome=Outcome.LOST))


def is_judged(scene, task):
    with reading(scene.engine) as registry:
        return registry.get(Attempt, ("ann", task, f"phone-1.{task}"[:64])).judged_at is not None


def test_a_phone_that_goes_in_mid_task_pays_nothing(scene, goes):
    task = goes()
    scene.look()

    assert is_judged(scene, task)
    assert (scene.blamed("phone-1"), scene.trust("phone-1")) == ([], 1.0)


def test_a_phone_that_loses_most_of_its_tasks_pays_as_any_device_does(scene, goes):
    goes(lost_before=FEWEST_LOST - 1)
    scene.look()

    assert scene.blamed("phone-1") == [EventKind.VANISHED]
    assert scene.trust("phone-1") == pytest.approx(1 - COSTS[EventKind.VANISHED])


def test_what_a_device_lost_and_did_lately_is_counted(scene, until, stack):
    device = scene.device("device-1")
    for name, losses in (("device-1", 2), ("phone-1", 1)):
        add_losses(scene, losses, name)
    scene.submitter.submit(3)
    scene.does(until, device, [device.take() for _ in range(3)])
    since = now() - timedelta(days=1)

    def known(device, since=since):
        with reading(scene.engine) as registry:
            return lately(registry, device, since)

    until(lambda: known("device-1") == (2, 3))
    assert known("phone-1") == (1, 0)
    assert known("device-1", now() - timedelta(minutes=30))[0] == 0


@pytest.mark.parametrize(
    ("lost", "done", "most"), [(0, 0, False), (2, 0, False), (3, 0, True), (3, 3, False), (40, 39, True), (1, 9, False)]
)
def test_of_few_losses_nobody_can_tell_and_of_more_the_tasks_that_were_done_tell(lost, done, most):
    assert loses_most(lost, done) is most
