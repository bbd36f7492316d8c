"""What the broker cannot prevent a device from doing, and the audit sees."""

from collections.abc import Iterator
from contextlib import ExitStack

import pika
import pytest

from broker_config import names
from broker_config.audit import Allowance, Kind, audit
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.sample import sample
from broker_config.tiers import Tier
from broker_config.users import put_user
from tests.conftest import idle

QUEUES = [names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region]
TASKS = QUEUES[0]


def honest(channel):
    channel.basic_qos(prefetch_count=1)
    for queue in QUEUES:
        channel.basic_consume(queue, print, arguments={"x-priority": 100})
    channel.basic_consume("device.d1", print)


def hoarder(channel):
    for _ in range(50):
        assert channel.basic_get(QUEUES[1])[0]


def glutton(channel):
    channel.basic_consume(QUEUES[2], print, arguments={"x-priority": 1})


def braggart(channel):
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(QUEUES[3], print, arguments={"x-priority": 1000})


def thief(channel):
    for _ in range(3):
        assert channel.basic_get(QUEUES[4], auto_ack=True)[0]


def thief_in_passing(channel):
    channel.basic_qos(prefetch_count=1)
    taken = channel.consume(QUEUES[5], auto_ack=True)
    assert next(taken)[0]
    channel.cancel()


def trespasser(channel):
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(QUEUES[3], print)


def crowd(channel):
    for _ in range(8):
        channel.connection.channel()


# The device does it, and this is all that is found of it.
DEEDS = {
    "d1": (honest, []),
    "hoarder": (hoarder, [Kind.HOARD]),
    "glutton": (glutton, [Kind.PREFETCH]),
    "braggart": (braggart, [Kind.PRIORITY]),
    "thief": (thief, [Kind.AUTOMATIC]),
    "passing-thief": (thief_in_passing, [Kind.AUTOMATIC]),
    "trespasser": (trespasser, [Kind.FOREIGN_QUEUE]),
    "crowd": (crowd, [Kind.CHANNELS]),
    "many": (lambda channel: None, [Kind.CONNECTIONS]),
}
ALLOWED = {device: Allowance(frozenset(QUEUES), slots=2) for device in DEEDS} | {
    # Narrowed, but its connection was not closed.
    "trespasser": Allowance(frozenset(), slots=2)
}


def do(node: Node, vhost: str, device: str, stack: ExitStack) -> None:
    put_user(node.api, device, "secret", device_role(device, QUEUES), vhost)
    if device in ("many", "crowd"):  # what the broker prevents, were its limits not there
        node.api.put_user_limits(device, connections=10, channels=10)
    for _ in range(7 if device == "many" else 1):
        connection = pika.BlockingConnection(idle(node.url(device, "secret", vhost)))
        stack.callback(connection.close)
        DEEDS[device][0](connection.channel())


@pytest.fixture(scope="module")
def look(node: Node, shared_vhost: str) -> Iterator[None]:
    """Everybody at it at once, until the broker's figures show it all."""
    with ExitStack() as stack:
        with pika.BlockingConnection(idle(node.url(vhost=shared_vhost))) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for queue, count in ((QUEUES[1], 50), (QUEUES[4], 3), (QUEUES[5], 3)):
                region = queue.split(".")[1]
                for _ in range(count):
                    channel.basic_publish(names.SUBMISSIONS, f"{region}.all-minilm-l6-v2", b"task")
        for device in sorted(DEEDS, key="d1".__eq__):  # the honest one last: it would take what others are to have
            do(node, shared_vhost, device, stack)

        def whole() -> list:
            return audit(node.api.consumers(shared_vhost), node.api.channels(shared_vhost), ALLOWED)

        yield whole


@pytest.fixture
def found(look, until):
    until(lambda: len({finding.device for finding in look()}) >= len(DEEDS) - 1)
    return look()


@pytest.mark.parametrize("device", DEEDS)
def test_a_device_is_found_to_do_what_it_does_and_nothing_else(found, device):
    assert [finding.kind for finding in found if finding.device == device] == DEEDS[device][1]


def test_a_finding_says_how_much(found):
    details = {finding.device: finding.detail for finding in found}

    assert details["hoarder"] == "50 messages, may hold 10"
    assert details["glutton"] == f"no limit on {QUEUES[2]}"
    assert details["braggart"] == f"1000 on {QUEUES[3]}"


def test_looking_at_a_part_at_a_time_finds_the_same_in_so_many_turns(found, node, shared_vhost):
    seen = set()
    size = 3
    for turn in range(max(len(QUEUES), node.api.channel_pages(size))):
        part = sample(node.api, QUEUES, turn, shared_vhost, size)
        assert len(part.channels) <= size
        seen |= set(audit(part.consumers, part.channels, ALLOWED))

    # What sums over channels may be cut in two by the pages.
    sums = {Kind.CHANNELS, Kind.CONNECTIONS}
    assert {f for f in found if f.kind not in sums} <= seen <= set(found)
