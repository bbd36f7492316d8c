"""Looks at a real broker: who lies there is found in the second one, and an honest neighbour never."""

from contextlib import ExitStack
from datetime import timedelta

import pika
import pytest

from broker_config import names
from broker_config.audit import Kind
from broker_config.management import Management
from broker_config.priority import GOOD_STANDING
from registry.columns import now
from registry.database import reading, session
from registry.tables import DeviceEvent, EventKind
from tasks.allowances import LENIENT, allowances
from tasks.health import looks as module
from tasks.health.looks import APART, Looks
from tests.health.conftest import QUEUE
from tests.health.hand_device import readings

PERIOD = 60.0
REAL = Management.queue


@pytest.fixture
def at_work(network):
    """Return a function that enrols a device which consumes its home queue with such a priority, once a slot."""

    with ExitStack() as stack:

        def begin(priority):
            device = network.device()
            channel = stack.enter_context(network.broker.channel(device.url))
            channel.basic_qos(prefetch_count=1)
            for _ in range(2):
                channel.basic_consume(QUEUE, lambda *_: None, arguments={"x-priority": priority})
            return device

        yield begin


@pytest.fixture
def settled(network, until):
    """Return a function that waits until the broker's figures show so many consumers and messages of a device."""

    def wait(device, consumers=2, held=0):
        def shows():
            api, vhost = network.broker.node.api, network.broker.vhost
            theirs = [c for c in api.channels(vhost) if c["user"] == device.id]
            found = api.queue(vhost, QUEUE).get("consumer_details", [])
            there = [c for c in found if (c["channel_details"] or {}).get("user") == device.id]
            given = sum((c.get("message_stats") or {}).get("deliver_get", 0) for c in theirs)
            return len(there) == consumers and given == sum(c.get("messages_unacknowledged", 0) for c in theirs) == held

        until(shows, 30)

    return wait


def test_who_claims_too_high_a_priority_is_found_by_the_second_look_and_its_neighbour_is_not(
    looks, clock, at_work, settled
):
    liar, honest = at_work(200), at_work(100)
    settled(liar)
    settled(honest)

    assert looks.look()[liar.id].findings == ()
    clock.now += APART
    seen = looks.look()

    assert [finding.kind for finding in seen[liar.id].findings] == [Kind.PRIORITY]
    assert seen[honest.id].findings == ()
    assert (seen[honest.id].consumers, seen[honest.id].unacknowledged) == (2, 0)


def test_what_a_device_hides_for_three_looks_is_known_and_what_it_says_as_well(network, looks, clock, at_work, settled):
    liar, honest = at_work(100), at_work(90)
    with network.broker.channel() as channel:
        for _ in range(3):  # the third goes to the neighbour
            channel.basic_publish("", QUEUE, b"{}", pika.BasicProperties(delivery_mode=2))
    settled(liar, held=2)
    settled(honest, held=1)
    for _ in range(3):
        clock.now += PERIOD - 10
        seen = looks.look()
        clock.now += 10
        looks.told({liar.id: readings(consumers=1), honest.id: readings(running=1)})

    stood = seen[liar.id].stood
    assert (stood.held, stood.consumers, stood.claim.tasks, stood.claim.consumers) == (2, 2, 0, 1)
    assert stood.prices == (100 - GOOD_STANDING,) * 2
    assert (seen[honest.id].stood.held, seen[honest.id].stood.claim.tasks) == (1, 1)


def test_a_look_at_once_after_another_is_the_same_look(looks, clock, at_work, settled):
    liar = at_work(200)
    settled(liar)
    first = looks.look()
    clock.now += APART - 1

    assert looks.look() is first


def test_a_device_that_is_not_to_be_seen_has_nothing_there(network, looks):
    device = network.device()
    device.link.close(0)

    assert looks.look()[device.id].consumers == 0


def test_where_nobody_answers_nothing_was_looked_at(network, engine):
    network.device()
    nobody = Looks(engine, Management("http://127.0.0.1:1", "platform", "", timeout=1))

    assert nobody.look() == {}


def test_a_large_network_is_looked_at_a_part_at_a_time_each_part_three_times(
    network, looks, clock, at_work, settled, monkeypatch
):
    liar = at_work(200)
    settled(liar)
    monkeypatch.setattr(module, "QUEUES", 1)
    asked = []
    monkeypatch.setattr(Management, "queue", lambda self, v, queue: asked.append(queue) or REAL(self, v, queue))
    found = []
    for _ in range(3 * len(names.Region)):
        found += looks.look().get(liar.id, module.Seen()).findings
        clock.now += PERIOD

    assert len(asked) == 18
    assert [asked.count(queue) for queue in sorted(set(asked))] == [3] * 6
    assert {finding.kind for finding in found} == {Kind.PRIORITY}


def test_a_device_in_the_lower_band_may_not_claim_the_upper_one_but_for_a_while_after_it_fell(network, engine):
    device = network.device()
    network.cycle().run()
    network.change(device, sound=False)

    def allowed(fell):
        with session(engine) as registry:
            registry.add(DeviceEvent(device_id=device.id, kind=EventKind.DEMOTED, reason="a test", at=fell))
        with reading(engine) as registry:
            return allowances(registry)[device.id].sound

    assert not allowed(now() - timedelta(seconds=LENIENT + 1))
    assert allowed(now())
