"""Devices that are killed, frozen, cut off, refused or told to stop, on a real broker."""

import signal
import time

import pytest

from broker_config import names
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier
from broker_config.users import grant_everything, put_user

QUEUES = [names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region]
HOME = QUEUES[0]


def who(job):
    return job.reports[-1].device


@pytest.fixture
def pair(broker, platform, start, until, consumers):
    """Two devices, the first nearer to asia's tasks, and a platform that clears what comes back."""
    first, second = start(broker, "asia", wait=False), start(broker, "europe", wait=False)
    until(lambda: consumers() == [2] * 6)
    return first, second


def test_the_task_of_a_killed_device_is_done_by_another_at_once(pair, ask, gates, until):
    first, second = pair
    job = ask("gate a")
    until(lambda: first.began("a"))

    first.signal(signal.SIGKILL)

    until(lambda: second.began("a"), 3)
    gates.open("a")
    job.result(5)
    assert who(job) == second.id


def test_a_frozen_device_loses_its_task_when_its_connection_is_closed_and_answers_it_no_more(pair, ask, gates, until):
    first, second = pair
    job = ask("gate a")
    until(lambda: first.began("a"))
    first.signal(signal.SIGSTOP)

    first.close_task_connection(until)

    until(lambda: second.began("a"), 3)
    gates.open("a")
    job.result(5)
    first.signal(signal.SIGCONT)
    until(lambda: first.times_consuming == 2)
    assert who(job) == second.id


def test_heartbeats_keep_an_idle_device_connected_and_give_a_frozen_ones_task_to_another(
    broker, start, pair, ask, gates, until
):
    first, second = pair
    idle, since = start(broker, "africa"), time.monotonic()
    until(lambda: len(idle.connections()) == 2)
    assert {connection["timeout"] for connection in idle.connections()} == {10}
    job = ask("gate a")
    until(lambda: first.began("a"))

    first.signal(signal.SIGSTOP)

    until(lambda: second.began("a"), 35)
    gates.open("a")
    job.result(5)
    until(lambda: time.monotonic() - since > 32, 33)  # the broker notices a silence within three heartbeats
    assert idle.times_consuming == 1


def test_a_device_told_to_stop_ends_what_runs_and_hands_back_what_it_holds(broker, start, ask, gates, until):
    device = start(broker)
    running = ask("gate a")
    until(lambda: device.began("a"))

    device.signal(signal.SIGTERM)
    until(lambda: "device.draining" in device.log)
    waiting = ask("gate b")
    gates.open("a")

    running.result(10)
    assert device.process.wait(10) == 0
    assert who(running) == device.id
    assert waiting.reports == []
    until(lambda: broker.depth(HOME) == 1)


def test_a_device_ends_cleanly_with_its_lifeline(broker, start):
    device = start(broker)

    device.process.stdin.close()

    assert device.process.wait(10) == 0


def test_what_outlasts_the_grace_is_another_devices(pair, ask, gates, until):
    first, second = pair
    job = ask("gate a")
    until(lambda: first.began("a"))

    first.signal(signal.SIGTERM)

    assert first.process.wait(15) == 0
    until(lambda: second.began("a"), 3)
    until(lambda: len(job.reports) == 2)
    gates.open("a")
    job.result(10)
    assert [report.state for report in job.reports] == ["started", "started", "succeeded"]


def test_a_device_told_to_stop_twice_stops_at_once(pair, ask, until):
    first, second = pair
    ask("gate a")
    until(lambda: first.began("a"))

    first.signal(signal.SIGTERM)
    until(lambda: "device.draining" in first.log)
    first.signal(signal.SIGTERM)

    assert first.process.wait(3) == 1
    until(lambda: second.began("a"), 3)


def test_a_device_whose_connection_was_closed_comes_back_and_the_task_is_answered_once(
    broker, start, ask, gates, until, consumers
):
    device = start(broker, slots=2)
    job = ask("gate a")
    until(lambda: device.began("a"))

    device.close_task_connection(until)

    until(lambda: device.times_consuming == 2)
    gates.open("a")
    job.result(10)
    until(lambda: broker.depth(HOME) == 0 and consumers() == [2, 1, 1, 1, 1, 1])
    assert [report.state for report in job.reports].count("succeeded") == 1
    assert ask("hello").result(10).shape == (1,)


def test_tasks_that_lost_their_connection_keep_their_slots_until_they_end(broker, start, ask, gates, until, consumers):
    device = start(broker, slots=2)
    lost = [ask("gate a"), ask("gate b")]
    until(lambda: device.began("a") and device.began("b"))

    device.close_task_connection(until)

    until(lambda: device.times_consuming == 2)
    after = ask("hello")
    until(lambda: broker.depth(HOME) == 3)
    assert consumers()[0] == 0
    gates.open("a"), gates.open("b")
    assert max(job.result(10)[0] for job in (*lost, after)) <= 2
    until(lambda: consumers() == [2, 1, 1, 1, 1, 1])


def test_a_device_that_is_told_to_stop_while_it_waits_to_be_let_in_stops(broker, start, until):
    device = start(broker, queues=[HOME], wait=False)
    until(lambda: "device.refused" in device.log)

    device.signal(signal.SIGTERM)

    assert device.process.wait(5) == 0


def test_a_device_that_may_not_read_a_queue_waits_and_serves_when_it_may(broker, start, ask, until):
    device = start(broker, queues=[HOME], wait=False)
    until(lambda: "device.refused" in device.log)

    role = device_role(device.id, QUEUES)
    put_user(broker.node.api, device.id, f"secret-of-{device.id}", role, broker.vhost)

    assert ask("hello").result(20).shape == (1,)
    assert device.log.count("device.refused") <= 2


def test_a_device_whose_queue_is_gone_waits_and_serves_when_it_stands_again(broker, start, ask, until, consumers):
    device = start(broker)
    until(lambda: consumers() == [1] * 6)
    with broker.channel() as channel:
        channel.queue_delete(HOME)
    until(lambda: "device.refused" in device.log)

    broker.apply()

    until(lambda: device.times_consuming == 3)
    assert ask("hello").result(10).shape == (1,)
    assert device.log.count("device.refused") <= 2


def test_a_device_whose_user_is_gone_waits_and_serves_when_it_is_let_in_again(broker, start, ask, until):
    device = start(broker)
    broker.node.api.delete_user(device.id)
    until(lambda: "device.refused" in device.log)

    role = device_role(device.id, QUEUES)
    put_user(broker.node.api, device.id, f"secret-of-{device.id}", role, broker.vhost)

    assert ask("hello").result(25).shape == (1,)
    assert device.log.count("device.refused") <= 3
    assert "secret-of" not in device.log


def test_a_device_comes_back_by_itself_when_its_broker_does(own_broker, start, connect, gates, until):
    device, client = start(own_broker), connect(own_broker)
    job = client.submit("all-minilm-l6-v2", "gate a", region="asia")
    until(lambda: device.began("a"))

    own_broker.node.stop()
    own_broker.node.start(lifeline=True)

    gates.open("a")
    job.result(40)
    until(lambda: device.times_consuming == 2, 40)
    assert client.submit("all-minilm-l6-v2", "hello", region="asia").result(20).shape == (1,)


@pytest.fixture
def own_broker(own_node: Node, broker):
    """The topology in a virtual host of a node that the test may stop."""
    own = type(broker)(own_node, names.VHOST)
    grant_everything(own_node.api, names.PLATFORM, names.VHOST)
    own.apply()
    return own
