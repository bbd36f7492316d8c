"""A device's state is what the broker makes of it: taken out of work, brought back, thrown out."""

import contextlib

import pytest
from pika.exceptions import AMQPConnectionError, AMQPError, ChannelClosedByBroker

from broker_config import names
from broker_config.enforce import expel, narrow, restore
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier

QUEUES = [names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region]
TASKS = QUEUES[0]


def submit(network, body=b"task"):
    with network.platform() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", body)


def connections(network, user):
    return [c for c in network.node.api.connections() if c.get("user") == user]


def is_cut(connection):
    with contextlib.suppress(AMQPError):
        connection.process_data_events(0.1)
    return connection.is_closed


def test_what_a_device_held_goes_to_another_when_it_is_taken_out_of_work(network, device):
    other = network.user("d2", device_role("d2", QUEUES)).connect().channel()
    submit(network)
    assert device.connect().channel().basic_get(TASKS)[2] == b"task"
    assert other.basic_get(TASKS)[2] is None

    narrow(network.node.api, "d1", network.vhost)

    assert next(other.consume(TASKS, inactivity_timeout=10))[2] == b"task"


def test_an_inactive_device_hears_orders_and_says_how_its_last_task_ended_and_no_more(network, device):
    narrow(network.node.api, "d1", network.vhost)

    with network.platform() as channel:
        channel.basic_publish(names.DEVICES, "d1", b"come back")
    assert device.does(lambda channel: channel.basic_get("device.d1", auto_ack=True))[2] == b"come back"
    device.does(lambda channel: channel.basic_publish(names.RESULTS, "reply.bob-1a.succeeded", b"the last"))
    assert device.is_refused(lambda channel: channel.basic_consume(TASKS, print))
    assert network.take("reply.bob-1a") == b"the last"


def test_a_channel_that_was_once_allowed_more_does_not_outlive_the_narrowing(network, device, until):
    # It has only read its control queue since, and the broker would not ask again for what it remembers.
    quiet = device.connect()
    channel = quiet.channel()
    channel.basic_get(TASKS)
    channel.basic_consume("device.d1", print)

    narrow(network.node.api, "d1", network.vhost)

    until(lambda: is_cut(quiet))
    submit(network)
    with pytest.raises(ChannelClosedByBroker):
        device.connect().channel().basic_get(TASKS)


def test_without_closing_its_connections_a_narrowed_device_would_go_on(network, device):
    channel = device.connect().channel()
    channel.basic_get(TASKS)
    network.node.api.put_permissions(network.vhost, "d1", configure="^$", write="^$", read="^$")
    submit(network)

    assert channel.basic_get(TASKS)[2] == b"task"


def test_a_restored_device_takes_tasks_again_without_a_new_password(network, device):
    narrow(network.node.api, "d1", network.vhost)

    restore(network.node.api, "d1", QUEUES, network.vhost)

    submit(network)
    assert device.does(lambda channel: channel.basic_get(TASKS, auto_ack=True))[2] == b"task"


def test_an_expelled_device_is_cut_off_in_the_middle_and_never_let_in_again(network, until):
    device = network.user("d3", device_role("d3", QUEUES))
    running = [device.connect() for _ in range(2)]
    channel = running[0].channel()
    submit(network)
    assert channel.basic_get(TASKS)[2] == b"task"

    expel(network.node.api, "d3")

    until(lambda: all(is_cut(connection) for connection in running))
    with pytest.raises(AMQPConnectionError):
        device.connect()
    assert network.take(TASKS) == b"task"
    assert connections(network, "d3") == []


def test_expelling_twice_is_harmless(network):
    network.user("d4", device_role("d4", ()))

    expel(network.node.api, "d4")
    expel(network.node.api, "d4")


def test_narrowing_one_device_leaves_the_others_alone(network, device):
    other = network.user("d2", device_role("d2", QUEUES)).connect()
    channel = other.channel()

    narrow(network.node.api, "d1", network.vhost)

    submit(network)
    assert channel.basic_get(TASKS, auto_ack=True)[2] == b"task"
