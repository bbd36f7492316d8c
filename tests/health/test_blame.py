"""Whose fault it was that a task was not done, from real messages at a real broker: the right device's, or nobody's."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from registry.columns import now
from registry.database import reading, session
from registry.events import events_of
from registry.standing_rule import COSTS
from registry.tables import EventKind
from registry.task_state import Outcome, TaskState
from registry.task_tables import Attempt
from starai.wire import Failure, Reason, State
from tests.health.blame_scene import Scene
from tests.tasks.swept_network import QUEUE


@pytest.fixture
def scene(broker, engine):
    with ExitStack() as stack:
        yield Scene(broker, engine, stack)


@pytest.fixture
def begins(scene, until):
    """Return a function that lets a device begin so many tasks, and returns what it took."""

    def begin(device, count=1):
        taken = [device.take() for _ in range(count)]
        for one in taken:
            device.say(one, State.STARTED)
        until(lambda: all(scene.outcome(device, one[1]) for one in taken))
        return taken

    return begin


@pytest.fixture
def vanishes(scene, begins, until):
    """Return a function that lets a device begin tasks and lose its connection, and another one take them over."""

    def vanish(device, other, count=1):
        scene.submitter.submit(count)
        begins(device, count)
        device.tasks.close()
        until(lambda: len(scene.broker.node.api.connections_of(device.id)) == 1 and scene.is_known(device))
        taken = [other.take() for _ in range(count)]
        for one in taken:
            scene.asks(other, one[1])
        return taken

    return vanish


@pytest.fixture
def fails(scene, until):
    """Return a function that lets a task fail for good on a device."""

    def fail(device, taken):
        device.say(taken, State.FAILED, failure=Failure(reason=Reason.DEVICE, message="it was begun 3 times"))
        device.acknowledge(taken)
        until(lambda: scene.state(taken[1]) is TaskState.FAILED)

    return fail


def test_a_device_that_vanished_is_blamed_once_when_another_one_has_done_its_task(scene, vanishes, until):
    device, other = scene.device("device-1"), scene.device("device-2")
    taken = vanishes(device, other)
    scene.look()
    assert scene.blamed("device-1") == []  # the task may be to blame yet

    scene.does(until, other, taken)
    scene.look()
    scene.look()

    assert scene.blamed("device-1") == [EventKind.VANISHED]
    assert scene.trust("device-1") == pytest.approx(1 - COSTS[EventKind.VANISHED])
    assert scene.blamed("device-2") == []


def test_a_device_that_vanished_with_several_tasks_failed_once(scene, vanishes, until):
    device, other = scene.device("device-1"), scene.device("device-2")
    taken = vanishes(device, other, count=4)

    for one in taken:  # even if some are known to be done before others
        scene.does(until, other, [one])
        scene.look()

    assert scene.blamed("device-1") == [EventKind.VANISHED]


def test_a_task_that_fails_everywhere_blames_nobody_nor_for_what_it_took_along(scene, vanishes, until, fails):
    device, other = scene.device("device-1"), scene.device("device-2")
    poison, good = vanishes(device, other, count=2)
    scene.does(until, other, [good])
    scene.look()
    assert scene.blamed("device-1") == []

    fails(other, poison)
    scene.look()

    assert scene.blamed("device-1") == []
    with reading(scene.engine) as registry:
        assert registry.get(Attempt, ("ann", good[1], f"device-1.{good[1]}"[:64])).judged_at


def test_a_device_that_a_poison_took_down_before_it_could_say_so_is_not_blamed_for_what_went_with_it(
    scene, begins, until, fails
):
    device, other = scene.device("device-1"), scene.device("device-2")
    scene.submitter.submit(2)
    begins(device)
    untold = device.take()
    device.tasks.close()
    until(lambda: len(scene.broker.node.api.connections_of(device.id)) == 1 and scene.is_known(device))
    taken = {one[1]: one for one in (other.take(), other.take())}
    for task in taken:
        scene.asks(other, task)
    poison = taken.pop(untold[1])
    scene.does(until, other, taken.values())
    scene.look()
    assert scene.blamed("device-1") == []  # the other one may be done yet

    fails(other, poison)
    scene.look()

    assert scene.blamed("device-1") == []


def test_a_device_whose_connection_never_ended_did_not_vanish_whoever_says_so(scene, begins, until):
    device, liar = scene.device("device-1"), scene.device("device-2")
    [task] = scene.submitter.submit()
    [taken] = begins(device)

    scene.asks(liar, task)
    liar.say(taken, State.SUCCEEDED)
    until(lambda: scene.state(task) is TaskState.SUCCEEDED)
    assert scene.outcome(device, task) is Outcome.LOST
    until(lambda: scene.is_known(device))
    scene.look()

    assert scene.blamed("device-1") == []


def test_a_device_that_could_not_do_what_another_could_is_blamed(scene, begins, until):
    device, other = scene.device("device-1"), scene.device("device-2")
    [task] = scene.submitter.submit()
    [taken] = begins(device)

    device.say(taken, State.REQUEUED, note="out of memory")
    until(lambda: scene.outcome(device, task) is Outcome.RETURNED)
    device.tasks.close()
    until(lambda: scene.broker.depth(QUEUE) == 1)
    scene.does(until, other, [other.take()])
    scene.look()

    assert scene.blamed("device-1") == [EventKind.TASK_FAILED]
    with reading(scene.engine) as registry:
        assert "out of memory" in events_of(registry, "device-1")[-1].reason


def overruns(scene, begins, until, device, lease=1.0):
    [slow] = scene.submitter.submit(lease=lease)
    begins(device)
    sweep = scene.sweep("leases", lease=lease)

    def swept():
        sweep.run()
        return scene.events(device.id, EventKind.OVERRAN)

    until(swept, 30)
    return slow


def test_a_task_that_overran_costs_its_device_once_another_one_has_done_it(scene, begins, until):
    device, other = scene.device("device-1"), scene.device("device-2")
    overruns(scene, begins, until, device)
    scene.look()
    assert scene.trust("device-1") == 1.0

    scene.does(until, other, [other.take()])
    scene.look()
    scene.look()

    assert scene.blamed("device-1") == [EventKind.OVERRAN]
    assert scene.trust("device-1") == pytest.approx(1 - COSTS[EventKind.OVERRAN])


def test_a_task_that_hangs_every_device_blames_none(scene, begins, until, fails):
    devices = [scene.device("device-1"), scene.device("device-2")]
    overruns(scene, begins, until, devices[0])
    taken = devices[1].take()
    fails(devices[1], taken)
    scene.look()

    assert [scene.blamed(device.id) for device in devices] == [[], []]


def test_what_was_lost_because_the_platform_cut_the_device_off_does_not_count(scene, begins, until):
    device, other = scene.device("device-1"), scene.device("device-2")
    scene.submitter.submit(lease=60.0)
    begins(device)
    overruns(scene, begins, until, device)
    taken = [other.take() for _ in range(2)]
    for one in taken:
        scene.asks(other, one[1])

    scene.does(until, other, taken)
    scene.look()

    assert scene.blamed("device-1") == [EventKind.OVERRAN]


def test_what_began_before_the_broker_started_blames_nobody(scene, vanishes, until):
    device, other = scene.device("device-1"), scene.device("device-2")
    taken = vanishes(device, other)
    with session(scene.engine) as registry:
        run = f"device-1.{taken[0][1]}"[:64]
        registry.get(Attempt, ("ann", taken[0][1], run)).started_at = now() - timedelta(days=1)
    scene.does(until, other, taken)
    scene.look()

    assert scene.blamed("device-1") == []
