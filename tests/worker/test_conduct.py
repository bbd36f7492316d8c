"""What becomes of a device that does at the broker what it should not."""

import pika
import pytest

from broker_config.audit import Kind
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.events import events_of
from registry.owners import add_owner
from registry.states import set_state
from registry.tables import EventKind
from tasks.conduct import Conduct
from tests.worker.conftest import MODEL, QUEUES


@pytest.fixture
def enrolled(registry):
    """Return a function that makes the registry know a device as active, with two slots."""

    def enrol(device):
        with session(registry) as opened:
            add_owner(opened, "ann")
            enrol_device(opened, device, "ann", Region.ASIA)
            deploy(opened, device, [Planned(MODEL, Tier.TINY, slots=2)])
            set_state(opened, device, DeviceState.ACTIVE, "it joined")

    return enrol


@pytest.fixture
def conduct(broker, registry):
    return Conduct(registry, broker.node.api, broker.vhost, wait=lambda seconds: None)


def test_a_device_that_claims_more_than_it_may_has_a_failure_in_its_history(broker, registry, enrolled, conduct, until):
    enrolled("device-greedy")
    with broker.channel(broker.device("device-greedy", *QUEUES.values())) as channel:
        channel.basic_consume(QUEUES[Region.ASIA], lambda *_: None, arguments={"x-priority": 1000})

        until(lambda: {finding.kind for finding in conduct.audit_all()} >= {Kind.PRIORITY, Kind.PREFETCH})

    with session(registry) as opened:
        reasons = [e.reason for e in events_of(opened, "device-greedy") if e.kind is EventKind.FAILED_AUDIT]
    assert any("claims a priority that it does not have: 1000" in reason for reason in reasons)


def test_a_device_that_fetches_tasks_beside_its_consumers_is_found_by_what_it_holds(broker, enrolled, conduct, until):
    enrolled("device-hoard")
    with broker.channel() as channel:
        for _ in range(40):
            channel.basic_publish("", QUEUES[Region.ASIA], b"{}", pika.BasicProperties(delivery_mode=2))
    with broker.channel(broker.device("device-hoard", *QUEUES.values())) as channel:
        for _ in range(40):
            channel.basic_get(QUEUES[Region.ASIA])

        until(lambda: [finding.kind for finding in conduct.audit_all()] == [Kind.HOARD])


def test_nothing_is_found_of_a_device_that_works(start, broker, enrolled, conduct, ask):
    device = start(broker, slots=2)
    enrolled(device.id)
    ask("hello").result(10)

    assert conduct.audit_all() == []
