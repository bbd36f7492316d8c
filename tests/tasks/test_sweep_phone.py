"""The sweep finds what a phone holds, though no connection of it has a name, on a real broker."""

from contextlib import ExitStack

import pytest

from broker_config import names
from registry.tables import EventKind
from registry.task_state import Outcome
from starai.wire import State
from tasks.device_connections import DeviceConnections
from tests.tasks.hand_phone import HandPhone, is_cut, phone
from tests.tasks.swept_network import QUEUE, SweptNetwork


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def network(broker, engine, stack):
    return SweptNetwork(broker, engine, stack)


@pytest.fixture
def device(network, stack, until):
    """A phone of whose connections the broker has figures."""
    found = phone(network, "phone-1", stack)
    until(lambda: len(began(network, found)) == 2 and all(began(network, found).values()), 60)
    api, vhost = network.broker.node.api, network.broker.vhost
    until(lambda: api.readers(vhost, names.device_queue(found.id)), 60)
    return found


def began(network: SweptNetwork, device: HandPhone):
    connections = network.broker.node.api.connections_of(device.id)
    return {one["name"]: one.get("connected_at") for one in connections}


def sweeps(device, sweep, condition):
    """Return a condition that sweeps before it is looked at; broker figures come every few seconds."""

    def look():
        device.beat()
        sweep.run()
        return condition()

    return look


def test_a_phone_on_which_a_task_overruns_loses_it_and_goes_on_hearing_its_orders(network, device, until):
    [slow] = network.submitter.submit(lease=1.0)
    taken = device.take()
    assert (taken.headers["id"], taken.headers["lease"]) == (slow, "1")
    device.say(taken, State.STARTED)

    until(sweeps(device, network.sweep("leases", lease=1.0), lambda: network.events("phone-1", EventKind.OVERRAN)), 60)

    assert (is_cut(device.tasks), is_cut(device.control)) == (True, False)
    assert network.attempts()[slow].outcome is Outcome.OVERRAN
    until(lambda: network.broker.depth(QUEUE) == 1)


def test_a_phone_that_takes_tasks_where_it_hears_its_orders_loses_them_all_the_same(network, device, until):
    [slow] = network.submitter.submit(lease=1.0)
    device.say(device.take(device.control), State.STARTED)
    api = network.broker.node.api
    until(lambda: any(map(api.held_by, began(network, device))))  # as it is once a lease and its margin are over

    until(sweeps(device, network.sweep("leases", lease=1.0), lambda: is_cut(device.control)), 40)

    until(lambda: network.broker.depth(QUEUE) == 1)
    assert network.attempts()[slow].outcome is Outcome.OVERRAN


def test_what_a_phone_had_on_a_connection_that_has_ended_is_lost_though_it_never_left(network, device, until):
    [task] = network.submitter.submit(lease=1.0)
    device.say(device.take(), State.STARTED)
    until(network.attempts)
    device.tasks.close()
    device.tasks = device.connect()

    until(
        sweeps(device, network.sweep("leases", lease=1.0), lambda: network.attempts()[task].outcome is Outcome.LOST), 60
    )

    assert (is_cut(device.tasks), is_cut(device.control)) == (False, False)
    assert network.events("phone-1", EventKind.OVERRAN) == []


def test_of_a_phones_connections_all_bring_tasks_but_the_one_where_it_hears_its_orders(network, device, until):
    connections = DeviceConnections(network.broker.node.api, network.broker.vhost)
    [home] = connections.for_tasks(device.id)

    device.connect()
    until(lambda: len(began(network, device)) == 3)
    assert len(connections.for_tasks(device.id)) == 2
    device.tasks.close()
    until(lambda: len(connections.for_tasks(device.id)) == 1)

    assert home not in connections.for_tasks(device.id)


def test_a_phone_that_hoards_is_found_as_any_device_is(network, device, until):
    network.submitter.submit()
    device.take()

    until(
        sweeps(device, network.sweep("hoarders", hoard=3.0), lambda: network.events("phone-1", EventKind.HOARDED)), 60
    )

    assert (is_cut(device.tasks), is_cut(device.control)) == (True, False)
    until(lambda: network.broker.depth(QUEUE) == 1)
