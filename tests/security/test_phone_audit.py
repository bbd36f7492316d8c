"""What a phone claims at the broker is seen as of any device, and an honest one is not suspected."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pika
import pytest

from broker_config import names
from broker_config.apply import apply
from broker_config.audit import Allowance, Finding, Kind, audit
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier
from broker_config.topology import device_topology
from broker_config.users import put_user
from tests.conftest import idle
from tests.stomp import Stomp

QUEUES = [names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region]
REPLY_TO = "amq.rabbitmq.reply-to"


def honest(phone, platform):
    """All that a phone does: it asks, hears orders, gives one task back, does another, and is at the next."""
    phone.do("SUBSCRIBE", destination=f"/amq/queue/{REPLY_TO}", id="answers", ack="auto")
    phone.publish(names.REPORTS, "hello", user_id="honest", reply_to=REPLY_TO)
    platform.basic_publish("", platform.basic_get(names.REPORTS, auto_ack=True)[1].reply_to, b"welcome")
    assert phone.message().body == b"welcome"
    phone.subscribe("device.honest", prefetch_count=10)
    phone.subscribe(QUEUES[0], x_priority=100)
    phone.subscribe(QUEUES[1], x_priority=60)
    phone.nack(phone.message())
    phone.ack(phone.message())
    assert phone.message()


def unbounded(phone, platform):
    phone.do("SUBSCRIBE", destination=f"/amq/queue/{QUEUES[2]}", id="t", ack="client-individual")


def glutton(phone, platform):
    phone.subscribe(QUEUES[2], prefetch_count=100)


def thief(phone, platform):
    phone.subscribe(QUEUES[3], ack="auto")
    assert phone.message()


def braggart(phone, platform):
    phone.subscribe(QUEUES[4], x_priority=1000)


def alone(phone, platform):
    phone.subscribe(QUEUES[4], exclusive="true")


def lurker(phone, platform):
    phone.subscribe(QUEUES[4])


def hoarder(phone, platform):
    for number in range(12):
        phone.subscribe(QUEUES[5], id=number)
    for _ in range(12):
        phone.message()


DEEDS = {
    "honest": (honest, []),
    "lurker": (lurker, []),
    "alone": (alone, []),  # over STOMP nobody can ask for that: others consume beside it
    "unbounded": (unbounded, [Kind.PREFETCH]),
    "glutton": (glutton, [Kind.PREFETCH]),
    "thief": (thief, [Kind.AUTOMATIC]),
    "braggart": (braggart, [Kind.PRIORITY]),
    "hoarder": (hoarder, [Kind.HOARD]),
}
ALLOWED = {device: Allowance(frozenset(QUEUES), slots=1) for device in DEEDS}


def fill(channel) -> None:
    """Have enough in the queues for all that is done."""
    for queue, count in ((QUEUES[0], 3), (QUEUES[1], 3), (QUEUES[3], 3), (QUEUES[5], 12)):
        for _ in range(count):
            channel.basic_publish(names.SUBMISSIONS, f"{queue.split('.')[1]}.all-minilm-l6-v2", b"task")


def phone_of(node: Node, vhost: str, device: str) -> Stomp:
    apply(node.url(vhost=vhost), device_topology(device))
    put_user(node.api, device, "secret", device_role(device, QUEUES), vhost)
    connection = Stomp(f"ws://127.0.0.1:{node.file.web}/ws")
    connection.login(vhost, login=device, passcode="secret")
    return connection


@pytest.fixture(scope="module")
def look(node: Node, shared_vhost: str) -> Iterator[Callable[[], list[Finding]]]:
    """Everybody at it at once; what an audit finds of them."""
    with ExitStack() as stack:
        with pika.BlockingConnection(idle(node.url(vhost=shared_vhost))) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            fill(channel)
            for device, (deed, _) in DEEDS.items():
                phone = phone_of(node, shared_vhost, device)
                stack.callback(phone.close)
                deed(phone, channel)
        yield lambda: audit(node.api.consumers(shared_vhost), node.api.channels(shared_vhost), ALLOWED)


@pytest.fixture
def expected(node):
    """What is to be found of each; RabbitMQ 3.10 has no priority for who speaks STOMP, so that none can be claimed."""
    heard = {"braggart": []} if node.api.version() < "4" else {}
    return {device: kinds for device, (_, kinds) in DEEDS.items()} | heard


@pytest.fixture
def found(look, expected, until):
    until(lambda: {finding.device for finding in look()} >= {device for device, kinds in expected.items() if kinds})
    return look()


@pytest.mark.parametrize("device", DEEDS)
def test_a_phone_is_found_to_do_what_it_does_and_nothing_else(found, expected, device):
    assert [finding.kind for finding in found if finding.device == device] == expected[device]


def test_what_the_audit_judges_a_phone_by_is_there(found, node, shared_vhost):
    consumers = node.api.consumers(shared_vhost)
    claims = {
        consumer["channel_details"]["user"]: (consumer["prefetch_count"], consumer["exclusive"])
        for consumer in consumers
        if consumer["queue"]["name"] in QUEUES
    }
    held = {channel["user"]: channel["messages_unacknowledged"] for channel in node.api.channels(shared_vhost)}

    assert [claims[device] for device in ("honest", "glutton", "alone")] == [(1, False), (100, False), (1, False)]
    assert (held["honest"], held["hoarder"]) == (2, 12)
