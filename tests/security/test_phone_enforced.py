"""A phone's state is what the broker makes of it, as of any device."""

import pytest

from broker_config import names
from broker_config.enforce import expel, narrow, restore
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier
from tests.stomp import Refused

QUEUES = [names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region]
TASKS = QUEUES[0]


def submit(network, body=b"task"):
    with network.platform() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", body)


@pytest.fixture
def at_work(network, device):
    """A phone's two connections: one hears orders, the other holds a task."""
    control, tasks = network.phone(device), network.phone(device)
    control.subscribe("device.d1")
    submit(network)
    tasks.subscribe(TASKS)
    assert tasks.message().body == b"task"
    return control, tasks


def test_what_a_phone_held_goes_to_another_when_it_is_taken_out_of_work(network, at_work, device):
    other = network.user("d2", device_role("d2", QUEUES)).connect().channel()

    narrow(network.node.api, "d1", network.vhost)

    assert next(other.consume(TASKS, inactivity_timeout=10))[2] == b"task"
    for connection in at_work:
        connection.end()
    assert network.refuses(device, lambda phone: phone.subscribe(TASKS))


def test_an_inactive_phone_hears_orders_and_says_how_its_last_task_ended(network, device):
    narrow(network.node.api, "d1", network.vhost)

    phone = network.phone(device)
    phone.subscribe("device.d1")
    phone.publish(names.RESULTS, "reply.bob-1a.succeeded", b"the last", user_id="d1")

    assert network.take("reply.bob-1a") == b"the last"


def test_a_restored_phone_takes_tasks_again(network, at_work, device):
    narrow(network.node.api, "d1", network.vhost)

    restore(network.node.api, "d1", QUEUES, network.vhost)

    phone = network.phone(device)
    phone.subscribe(TASKS)
    assert phone.message().body == b"task"


def test_an_expelled_phone_is_cut_off_in_the_middle_and_never_let_in_again(network, at_work, device):
    expel(network.node.api, "d1")

    for connection in at_work:
        connection.end()
    assert network.take(TASKS) == b"task"
    with pytest.raises(Refused, match="Bad CONNECT"):
        network.phone(device)


def test_one_connection_of_a_phone_is_closed_by_its_name(network, device, until):
    submit(network)
    phone = network.phone(device)
    phone.subscribe(TASKS)
    phone.message()
    until(lambda: connections(network))

    network.node.api.close_connection(connections(network)[0], "a task ran for longer than its lease")

    phone.end()
    until(lambda: network.take(TASKS) == b"task")


def connections(network):
    """Return the names of the phone's connections of which the broker has figures by now."""
    return [one["name"] for one in network.node.api.connections_of("d1") if "connected_at" in one]
