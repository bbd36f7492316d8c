"""What a device does when the platform brings it into a state, and what the broker does when it does not."""

import pytest

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.columns import now
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.owners import add_owner
from registry.states import set_state
from tasks.enforcement import Enforcement
from tasks.health.blacklisting import Blacklisting
from tests.worker.conftest import MODEL


@pytest.fixture
def enforcement(broker, registry):
    return Enforcement(registry, broker.node.api, broker.url())


@pytest.fixture
def device(broker, registry, start):
    """A device that runs, and that the registry knows as active."""
    running = start(broker)
    with session(registry) as opened:
        add_owner(opened, "ann")
        enrol_device(opened, running.id, "ann", Region.ASIA)
        deploy(opened, running.id, [Planned(MODEL, Tier.TINY)])
        set_state(opened, running.id, DeviceState.ACTIVE, "it joined")
    return running


def state(registry, device):
    with session(registry) as opened:
        return find_device(opened, device.id).state


def test_a_device_that_is_deactivated_ends_its_task_takes_no_other_and_stays_connected(
    broker, registry, enforcement, device, ask, gates, until, consumers
):
    running = ask("gate a")
    until(lambda: device.began("a"))
    gates.open("a")

    enforcement.deactivate(device.id, "a test", grace=10)
    waiting = ask("hello")

    running.result(10)
    until(lambda: consumers() == [0] * 6)
    until(lambda: "device.refused" in device.log)
    until(lambda: broker.node.api.queue(broker.vhost, names.device_queue(device.id)).get("consumers") == 1)
    assert "order.taken" in device.log
    assert not waiting.done
    assert state(registry, device) is DeviceState.INACTIVE


def test_it_comes_back_without_a_restart_when_it_is_activated(enforcement, device, ask):
    enforcement.deactivate(device.id, "a test", grace=5)
    waiting = ask("hello")

    enforcement.activate(device.id, "a test")

    assert waiting.result(20).shape == (1,)
    assert device.process.poll() is None


def test_a_device_that_goes_on_in_spite_of_its_order_loses_its_task_to_another(
    broker, enforcement, device, start, ask, gates, until
):
    job = ask("gate a")
    until(lambda: device.began("a"))
    other = start(broker, "asia")

    enforcement.deactivate(device.id, "a test", grace=0.5)

    until(lambda: other.began("a"))
    gates.open("a")
    job.result(10)


def test_a_device_that_is_blacklisted_cannot_come_back(broker, registry, device, until, consumers):
    Blacklisting(registry, broker.node.api, broker.vhost).enter(device.id, "a test", None, now())

    until(lambda: consumers() == [0] * 6)
    assert device.id not in {connection["user"] for connection in broker.node.api.connections()}
    assert state(registry, device) is DeviceState.BLACKLISTED
