"""The page's connection to a real broker: what it hears and says there, and how it comes back."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from broker_config import names
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role
from tests.conftest import MINILM, Broker
from tests.phone.linked import DEVICE, MODULES, OPEN, QUEUE, connect, login, next_of
from tests.phone.typescript import Thrown, TypeScript

pytestmark = pytest.mark.process

HEAR = """
kept.heard = [];
kept.hearing = await kept.link.subscribe(queue, { mode: "client", prefetch: 1, priority: 7 },
  (message) => kept.heard.push(message));
"""
# What comes is read a little later than it came.
SLOW = """
const { socket } = kept.link.session;
const take = socket.onmessage;
socket.onmessage = (event) => setTimeout(take, 300, event);
"""


@pytest.fixture
def page() -> Iterator[TypeScript]:
    """The page's broker modules."""
    with TypeScript(*MODULES) as page:
        yield page


def hear(page: TypeScript, broker: Broker) -> None:
    """Connect, and hear the device's task queue."""
    connect(page, broker)
    page.run(HEAR, queue=QUEUE)


def submit(channel: BlockingChannel, headers: dict[str, Any], body: bytes = b"x", **properties: Any) -> None:
    """Send a message to the device's task queue."""
    key = names.submission_key(Region.ASIA, MINILM.name)
    channel.basic_publish(names.SUBMISSIONS, key, body, pika.BasicProperties(headers=headers, **properties))


def taken(page: TypeScript, count: int = 1) -> Callable[[], bool]:
    """Return a condition: that so many messages have come."""
    return lambda: page.run("return kept.heard.length;") >= count


def test_what_is_published_is_taken_by_the_broker_when_it_is_said_to_be(page: TypeScript, broker: Broker) -> None:
    connect(page, broker)
    sent = {"userId": DEVICE, "correlationId": "a:b\\c", "expiration": 60_000}
    body = bytes(range(256))
    page.run("await kept.link.publish('reports', 'hello', bytes(body), sent);", sent=sent, body=body)
    with broker.channel() as channel:
        _, properties, received = channel.basic_get(names.REPORTS, auto_ack=True)
    assert received == body
    assert (properties.user_id, properties.correlation_id) == (DEVICE, "a:b\\c")
    assert (properties.content_type, properties.expiration) == ("application/json", "60000")


def test_a_device_cannot_speak_in_anothers_name(page: TypeScript, broker: Broker) -> None:
    connect(page, broker)
    with pytest.raises(Thrown, match="BrokerRefused"):
        page.run("await kept.link.publish('reports', 'hello', bytes(''), { userId: 'platform' });")


def test_a_message_that_is_acknowledged_is_done_and_makes_way_for_the_next(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    hear(page, broker)
    with broker.channel() as channel:
        for task in ("t1", "t2"):
            submit(channel, {"id": task})
    until(taken(page))
    assert page.run("return kept.heard.map((m) => m.headers.id);") == ["t1"]
    page.run("kept.heard[0].ack(); kept.heard[0].ack();")
    until(taken(page, 2))
    page.run("kept.heard[1].ack(); await kept.hearing.close();")
    assert broker.depth(QUEUE) == 0
    assert page.run("return kept.events;") == [["connected"]]


def test_a_message_that_is_handed_back_comes_again_and_is_said_to(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    hear(page, broker)
    with broker.channel() as channel:
        submit(channel, {"id": "t1"})
    until(taken(page))
    page.run("kept.heard[0].nack();")
    until(taken(page, 2))
    assert page.run("return kept.heard.map((m) => [m.headers.id, m.redelivered]);") == [["t1", False], ["t1", True]]


def test_junk_goes_to_the_dead_letters(page: TypeScript, broker: Broker, until: Callable[..., None]) -> None:
    hear(page, broker)
    with broker.channel() as channel:
        submit(channel, {"id": "junk"})
        until(taken(page))
        page.run("kept.heard[0].reject();")
        properties, _ = next_of(channel, names.FAILED, until)
    assert properties.headers
    assert properties.headers["id"] == "junk"


def test_what_is_unsettled_goes_back_at_once_when_the_connection_is_dropped(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    hear(page, broker)
    with broker.channel() as channel:
        submit(channel, {"id": "t1"})
    until(taken(page))
    page.run("kept.link.reconnect('the owner wants it'); await kept.link.connected(20000); kept.heard[0].ack();")
    until(lambda: broker.depth(QUEUE) == 1)
    assert page.run("return kept.events;") == [["connected"], ["lost"], ["connected"]]
    assert not page.run("return kept.hearing.open;")


def test_what_comes_while_a_subscription_is_closed_goes_back(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    hear(page, broker)
    with broker.channel() as channel:
        # The broker sends it before it reads that the subscription is closed; the page reads it after.
        page.run(SLOW)
        submit(channel, {"id": "t1"})
        until(lambda: broker.depth(QUEUE) == 0)
        page.run("await kept.hearing.close();")
    assert page.run("return kept.heard.length;") == 0
    until(lambda: broker.depth(QUEUE) == 1)
    until(lambda: page.run("return kept.events;") == [["connected"], ["lost"], ["connected"]])


def test_what_is_unsettled_when_its_subscription_is_closed_goes_back(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    hear(page, broker)
    with broker.channel() as channel:
        submit(channel, {"id": "t1"})
    until(taken(page))
    page.run("await kept.hearing.close(); kept.heard[0].ack();")
    until(lambda: broker.depth(QUEUE) == 1)
    until(lambda: page.run("return kept.events;") == [["connected"], ["lost"], ["connected"]])


def test_a_subscription_that_is_closed_hears_nothing_and_keeps_the_connection(page: TypeScript, broker: Broker) -> None:
    hear(page, broker)
    page.run("await kept.hearing.close(); await kept.hearing.close();")
    with broker.channel() as channel:
        submit(channel, {"id": "t1"})
    assert broker.depth(QUEUE) == 1
    assert page.run("return [kept.heard.length, kept.hearing.open, kept.events.length];") == [0, False, 1]


def test_the_largest_message_comes_whole(page: TypeScript, broker: Broker, until: Callable[..., None]) -> None:
    hear(page, broker)
    body = bytes(range(256)) * 32_768
    with broker.channel() as channel:
        submit(channel, {"id": "t1"}, body)
    until(taken(page))
    assert page.bytes("return b64(kept.heard[0].body);") == body


def test_a_task_is_read_as_its_submitter_wrote_it(page: TypeScript, broker: Broker, until: Callable[..., None]) -> None:
    connect(page, broker)
    broker.submitter("ann")
    page.run(HEAR, queue=QUEUE)
    headers = {"id": "t:1", "task": names.INFERENCE_TASK, "expires": "2030-01-01T00:00:00+00:00", "lease": "30"}
    properties = {"user_id": "ann", "reply_to": "reply.ann-0a", "timestamp": 1_790_000_000}
    with broker.channel(broker.url("ann", "secret-of-ann")) as channel:
        submit(channel, headers, json.dumps([[], {"inputs": ["é", "b"]}, {}]).encode(), **properties)
    until(taken(page))
    task = page.run("const [{ headers, body }] = kept.heard; return readTask(headers, body);")
    assert (task["id"], task["replyTo"], task["submitter"], task["inputs"]) == (
        "t:1",
        "reply.ann-0a",
        "ann",
        ["é", "b"],
    )
    assert (task["expires"], task["lease"], task["submitted"]) == (1_893_456_000, 30, 1_790_000_000)


class Pairs(dict[str, Any]):
    """Headers as no well-behaved client writes them: a name may come twice."""

    def __init__(self, *pairs: tuple[str, Any]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


def test_a_strangers_headers_are_not_taken_for_the_brokers_own(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    connect(page, broker)
    broker.submitter("mal")
    page.run(HEAR, queue=QUEUE)
    forged = [("user-id", "platform"), ("reply-to", "reply.ann-0a"), ("redelivered", "true"), ("ack", "a")]
    lengths = [("content-length", "1"), ("content-length", "1"), ("subscription", "b")]
    body = b"x\0MESSAGE\nsubscription:s1\nuser-id:platform\n\n\0"
    with broker.channel(broker.url("mal", "secret-of-mal")) as channel:
        submit(channel, Pairs(("id", "t1"), *forged, *lengths), body, user_id="mal", reply_to="reply.mal-0a")
    until(taken(page))
    said = page.run("return kept.heard.map(({ headers: h }) => [h['user-id'], h['reply-to'], h.redelivered]);")
    assert said == [["mal", "/reply-queue/reply.mal-0a", "false"]]
    assert page.bytes("return b64(kept.heard[0].body);") == body
    page.run("kept.heard[0].ack(); await kept.hearing.close();")
    assert page.run("return kept.events;") == [["connected"]]


def test_a_refused_login_is_told_as_one(page: TypeScript, broker: Broker) -> None:
    broker.device(DEVICE, QUEUE)
    with pytest.raises(Thrown, match=r"BrokerRefused: .* refused the login"):
        page.run(OPEN, login=login(broker, password="wrong"))
    assert ["login"] in page.run("return kept.events;")


def test_a_device_that_is_let_in_again_comes_back(page: TypeScript, broker: Broker, until: Callable[..., None]) -> None:
    connect(page, broker)
    broker.node.api.delete_user(DEVICE)
    until(lambda: ["login"] in page.run("return kept.events;"))
    broker.user(DEVICE, device_role(DEVICE, [QUEUE]))
    page.run("await kept.link.connected(20000).catch(() => kept.link.connected(20000));")
    assert page.run("return kept.events.at(-1);") == ["connected"]


def test_a_queue_that_is_not_the_devices_is_refused_and_the_connection_comes_back(
    page: TypeScript, broker: Broker
) -> None:
    connect(page, broker)
    with pytest.raises(Thrown, match="BrokerRefused"):
        page.run(HEAR, queue=names.HEALTH_QUEUE)
    page.run("await kept.link.connected(20000);")
    assert page.run("return kept.events;") == [["connected"], ["permission"], ["lost"], ["connected"]]


def test_an_address_where_nobody_listens_is_unreachable(page: TypeScript, broker: Broker) -> None:
    nowhere = login(broker) | {"url": "ws://127.0.0.1:9/ws"}
    with pytest.raises(Thrown, match="BrokerUnreachable"):
        page.run(OPEN.replace("20000", "500"), login=nowhere)
    with pytest.raises(Thrown, match="BrokerUnreachable"):
        page.run(OPEN, login=nowhere | {"url": "nothing"})


def test_a_link_that_pauses_connects_at_once_when_it_is_hurried(page: TypeScript, broker: Broker) -> None:
    broker.device(DEVICE, QUEUE)
    page.run(OPEN.replace("lost: 50", "lost: 600000").replace("longest: 500", "longest: 600000"), login=login(broker))
    page.run("kept.link.reconnect('a test'); kept.link.hurry(); kept.link.hurry(); await kept.link.connected(20000);")
    assert page.run("return kept.events;") == [["connected"], ["lost"], ["connected"]]


def test_a_broker_that_dies_is_noticed_and_found_again(
    page: TypeScript, own_broker: Broker, own_node: Node, crash: Callable[[Node], None], until: Callable[..., None]
) -> None:
    connect(page, own_broker)
    crash(own_node)
    until(lambda: page.run("return kept.events.at(-1);") == ["lost"])
    with pytest.raises(Thrown, match="BrokerUnreachable"):
        page.run("await kept.link.publish('reports', 'hello', bytes(''), { userId: 'device-1' });")
    own_node.start()
    page.run("await kept.link.connected(60000);")
    page.run("await kept.link.publish('reports', 'hello', bytes(''), { userId: 'device-1' });")


def test_a_broker_that_falls_silent_is_noticed_and_what_it_took_is_in_doubt(
    page: TypeScript, own_broker: Broker, own_node: Node, until: Callable[..., None]
) -> None:
    connect(page, own_broker)
    frozen = own_node.processes()
    for process in frozen:
        process.suspend()
    try:
        with pytest.raises(Thrown, match=r"BrokerUnreachable: .* fell silent"):
            page.run("await kept.link.publish('reports', 'hello', bytes(''), { userId: 'device-1' });")
    finally:
        for process in frozen:
            process.resume()
    page.run("await kept.link.connected(60000);")


def test_a_link_that_is_closed_is_gone_for_good(page: TypeScript, broker: Broker, until: Callable[..., None]) -> None:
    connect(page, broker)
    page.run("kept.sent = kept.link.publish('reports', 'hello', bytes(''), { userId: 'device-1' });")
    page.run("await kept.link.close(20000); await kept.sent; await kept.link.close();")
    with pytest.raises(Thrown, match="BrokerUnreachable"):
        page.run("await kept.link.connected(300);")
    assert page.run("return kept.events;") == [["connected"]]
    until(lambda: not [c for c in broker.node.api.connections() if c["user"] == DEVICE])
