"""The sweep on a real broker, with devices that behave badly and a recorder that comes late."""

import logging
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlmodel import Session

from registry.columns import now
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.tables import EventKind
from registry.task_state import Action, Outcome, TaskState
from registry.task_tables import Task
from registry.turn import Turn, turn
from starai.wire import Reason, State
from tasks.sweep import Sweep
from tests.tasks.swept_network import QUEUE, SETTLED, SweptNetwork


@pytest.fixture
def network(broker, engine):
    with ExitStack() as stack:
        yield SweptNetwork(broker, engine, stack)


def sweeps(sweep: Sweep, condition):
    """Return a condition that sweeps before it is looked at; broker figures come every few seconds."""

    def look():
        sweep.run()
        time.sleep(0.5)
        return condition()

    return look


def test_exactly_what_was_purged_is_put_back_and_answered(network, until):
    device, sweep = network.device("device-1"), network.sweep("queues", "lost")
    purged = network.submitter.submit(6)
    slow = device.take()
    device.say(slow, State.STARTED)
    until(lambda: network.held() == 6)

    device.purge()
    waiting = network.submitter.submit(3)
    until(sweeps(sweep, lambda: len(network.acted(Action.REPUBLISHED)) >= 4), 60)
    device.answer(slow)
    purged.remove(slow[1])
    until(sweeps(sweep, lambda: len(network.acted(Action.REPUBLISHED)) >= 5), 60)

    assert network.acted(Action.REPUBLISHED) == sorted(purged)
    assert all(network.submitter.hears(task, State.REQUEUED).note for task in purged)
    for _ in range(8):
        device.answer(device.take())
    until(lambda: all(network.submitter.hears(task, State.SUCCEEDED) for task in (*purged, *waiting)))
    assert network.broker.depth(QUEUE) == 0


def test_nothing_of_an_old_backlog_is_put_back(network, until):
    device, sweep = network.device("device-1"), network.sweep("queues", "lost")
    tasks = network.submitter.submit(50)
    until(lambda: len(network.known()) == 50)
    with Session(network.engine) as registry:
        for task in tasks:
            registry.get(Task, ("ann", task)).submitted_at = now() - timedelta(hours=1)
        registry.commit()
    until(lambda: network.held() == 50)

    end = time.monotonic() + 2 * SETTLED
    while time.monotonic() < end:  # as long as figures take to be renewed several times
        device.answer(device.take())
        sweep.run()
        time.sleep(0.5)

    assert network.acted(Action.REPUBLISHED) == []


def test_nothing_is_put_back_while_nobody_records(network, until):
    sweep = network.sweep("queues", "lost", settled=0, patience=0.3)
    network.submitter.submit(3)
    until(lambda: len(network.known()) == 3)
    with network.broker.channel() as channel:
        channel.queue_purge(QUEUE)
    network.stop_recording()

    for _ in range(12):
        sweep.run()
        time.sleep(0.5)
    assert network.acted(Action.REPUBLISHED) == []

    network.record()
    until(sweeps(sweep, lambda: len(network.acted(Action.REPUBLISHED)) == 3), 60)


def test_what_a_device_acknowledged_without_an_answer_is_done_by_another(network, until):
    thief, sweep = network.device("device-thief"), network.sweep("queues", "lost")
    tasks = network.submitter.submit(2)
    until(lambda: network.held() == 2)

    for _ in tasks:
        thief.acknowledge(thief.take())
    until(sweeps(sweep, lambda: network.broker.depth(QUEUE) == 2), 60)
    honest = network.device("device-honest")
    for _ in tasks:
        honest.answer(honest.take())

    until(lambda: all(network.submitter.hears(task, State.SUCCEEDED) for task in tasks))
    assert all(task.republished == 1 for task in network.known().values())


def test_a_task_that_overruns_its_lease_goes_to_another_device_and_only_it_counts(network, until):
    device, sweep = network.device("device-slow"), network.sweep("leases", lease=1.0)
    slow, patient, held = (
        network.submitter.submit(lease=1.0) + network.submitter.submit(lease=30.0) + network.submitter.submit()
    )
    for _ in (slow, patient):
        device.say(device.take(), State.STARTED)
    device.take()

    until(sweeps(sweep, lambda: network.events("device-slow", EventKind.OVERRAN)))

    assert device.is_cut(device.tasks)
    assert not device.is_cut(device.results)
    assert network.acted(Action.OVERRAN) == [slow]
    assert network.attempts()[slow].outcome is Outcome.OVERRAN
    assert network.attempts()[patient].outcome is Outcome.RUNNING
    assert network.known()[slow].state is TaskState.QUEUED
    other = network.device("device-other")
    assert {other.take()[1] for _ in range(3)} == {slow, patient, held}


def test_a_text_that_gets_on_keeps_its_device_and_one_that_does_not_loses_it(network, until):
    alive, hung = network.device("device-alive"), network.device("device-hung")
    network.submitter.submit(2, lease=1.0)
    texts = alive.take(), hung.take()
    alive.say(texts[0], State.STARTED)
    hung.say(texts[1], State.STARTED)
    sweep = network.sweep("leases", lease=1.0)

    def gets_on():
        alive.say(texts[0], State.PROGRESS)
        sweep.run()
        return network.events("device-hung", EventKind.OVERRAN)

    until(gets_on)

    assert network.events("device-alive", EventKind.OVERRAN) == []
    assert not alive.is_cut(alive.tasks)
    assert network.attempts()[texts[0][1]].progressed_at > network.attempts()[texts[0][1]].started_at


def test_an_attempt_of_a_connection_that_has_ended_is_lost_and_nobody_is_cut_off(network, until):
    device, sweep = network.device("device-1"), network.sweep("leases", lease=1.0)
    [task] = network.submitter.submit()
    device.say(device.take(), State.STARTED)
    until(network.attempts)
    device.tasks.close()
    again = network.device("device-1")

    until(sweeps(sweep, lambda: network.attempts()[task].outcome is Outcome.LOST))

    assert not again.is_cut(again.tasks)
    assert network.events("device-1", EventKind.OVERRAN) == []
    assert network.known()[task].state is TaskState.QUEUED


def test_a_task_that_overran_on_as_many_devices_as_it_may_fails(network, until):
    sweep = network.sweep("leases", lease=1.0)
    [task] = network.submitter.submit()
    for name in ("device-1", "device-2", "device-3"):
        device = network.device(name)
        device.say(device.take(), State.STARTED)
        until(sweeps(sweep, lambda device=device: network.events(device.id, EventKind.OVERRAN)))
        until(lambda: network.broker.depth(QUEUE) == 1)

    report = network.submitter.hears(task, State.FAILED)

    assert report.failure.reason is Reason.DEVICE
    assert "begun 3 times" in report.failure.message
    assert network.acted(Action.FAILED) == [task]
    until(lambda: network.known()[task].state is TaskState.FAILED)


def test_a_submitter_hears_within_seconds_that_a_task_expired_behind_others(network, until):
    sweep = network.sweep("deadlines")
    [first], [second] = network.submitter.submit(), network.submitter.submit(deadline=1.0)
    began = time.monotonic()

    until(sweeps(sweep, lambda: network.submitter.hears(second, State.EXPIRED)))

    assert time.monotonic() - began < 8
    until(sweeps(sweep, lambda: network.known()[second].state is TaskState.EXPIRED))
    assert network.acted(Action.EXPIRED) == [second]  # said once
    assert network.known()[first].state is TaskState.QUEUED


def test_the_submitter_of_a_dead_letter_hears_why_and_where(network, until):
    device, sweep = network.device("device-1"), network.sweep("dead letters")
    [task] = network.submitter.submit()
    until(network.known)
    device.refuse(device.take())

    until(sweeps(sweep, lambda: network.submitter.hears(task, State.FAILED)))

    message = network.submitter.hears(task, State.FAILED).failure.message
    assert message == f"The network gave the task up: a device refused it for good (once, last by the queue {QUEUE})."
    assert network.acted(Action.DEAD_LETTERED) == [task]
    until(lambda: network.known()[task].state is TaskState.FAILED)


def test_a_hoarder_loses_what_it_holds_and_the_second_time_its_work(network, until):
    sweep = network.sweep("hoarders", hoard=3.0)
    hoarder = network.device("device-hoarder")
    tasks = network.submitter.submit(2)
    for _ in tasks:
        hoarder.take()

    until(sweeps(sweep, lambda: network.broker.depth(QUEUE) == 2), 40)
    assert len(network.events("device-hoarder", EventKind.HOARDED)) == 1
    assert hoarder.is_cut(hoarder.tasks)
    assert not hoarder.is_cut(hoarder.results)

    again = network.device("device-hoarder")
    again.take()
    until(sweeps(sweep, lambda: again.is_cut(again.tasks)), 40)
    with Session(network.engine) as registry:
        assert find_device(registry, "device-hoarder").state is DeviceState.INACTIVE


def test_a_device_at_work_is_no_hoarder(network, until):
    sweep = network.sweep("hoarders", hoard=3.0)
    device = network.device("device-1")
    network.submitter.submit(60)
    running, end = device.take(), time.monotonic() + 20
    device.say(running, State.STARTED)
    while time.monotonic() < end:
        device.take()  # always some more than it does
        device.answer(device.take())
        sweep.run()
        time.sleep(1)

    assert not device.is_cut(device.tasks)
    assert network.events("device-1", EventKind.HOARDED) == []


def test_a_part_that_fails_keeps_no_other_from_its_work(network, caplog):
    done = []

    def fail():
        raise ZeroDivisionError

    sweep = network.sweep()
    with caplog.at_level(logging.ERROR):
        Sweep(network.engine, sweep._marks, {"one": fail}, {"two": fail, "three": lambda: done.append(3)}).run()

    assert done == [3]
    assert [record.part for record in caplog.records] == ["one", "two"]


def test_only_one_sweeps_at_a_time(network):
    done = []
    sweep = Sweep(network.engine, network.sweep()._marks, {"one": lambda: done.append(1)}, {})

    with turn(network.engine, Turn.SWEEP) as alone:
        assert alone
        sweep.run()
    assert done == []
    sweep.run()
    assert done == [1]
