"""The topology as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config import names
from broker_config.topology import Limits, QueueType, device_topology, network_topology, topology
from starai.wire import State

KINDS = pytest.mark.parametrize("kind", QueueType)


@KINDS
def test_everything_that_is_bound_is_declared(kind, hosted):
    whole = topology([hosted], kind)
    exchanges, queues = {e.name for e in whole.exchanges}, {q.name for q in whole.queues}

    for binding in whole.bindings:
        assert binding.source in exchanges
        assert binding.destination in (exchanges if binding.to_exchange else queues)


@KINDS
def test_every_queue_that_strangers_fill_refuses_what_is_too_much(kind):
    for queue in network_topology(kind, Limits(queue_length=7)).queues:
        if queue.name not in (names.PLATFORM, names.LEDGER):
            assert queue.arguments["x-max-length"] == 7
            assert queue.arguments["x-overflow"] == "reject-publish"


@KINDS
def test_the_ledger_is_told_every_state_of_a_task_but_the_pieces_of_its_text(kind):
    keys = {
        binding.key
        for binding in network_topology(kind).bindings
        if (binding.source, binding.destination) == (names.RESULTS, names.LEDGER)
    }

    assert keys == {f"reply.*.{state}" for state in State if state is not State.PIECE}


@KINDS
def test_a_task_queue_sends_poison_where_it_is_kept(kind, hosted):
    tasks = [queue for queue in topology([hosted], kind).queues if queue.name.startswith("inference.")]

    assert len(tasks) == 6
    assert {queue.arguments["x-dead-letter-exchange"] for queue in tasks} == {names.FAILED}
    assert all(("x-delivery-limit" in queue.arguments) == (kind is QueueType.QUORUM) for queue in tasks)


@given(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True))
def test_a_devices_orders_expire_and_are_few(device):
    (queue,), (binding,) = device_topology(device).queues, device_topology(device).bindings

    assert (binding.source, binding.key, binding.destination) == (names.DEVICES, device, queue.name)
    assert queue.arguments["x-message-ttl"] == 60_000
    assert queue.arguments["x-max-length"] == 100
