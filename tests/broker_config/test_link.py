"""One connection that keeps itself alive: what becomes of what is published."""

import socket
import time
from collections.abc import Callable, Iterator

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config import names
from broker_config.errors import BrokerRefused, BrokerUnreachable, PublishRejected
from broker_config.link import Link
from broker_config.pause import pause
from broker_config.publication import Publication
from broker_config.topology import Limits

OpenLink = Callable[..., Link]


def to(exchange: str, key: str = "clearance", body: bytes = b"{}") -> Publication:
    return Publication(exchange, key, body, pika.BasicProperties(delivery_mode=2))


def received(broker, queue: str = names.REPORTS) -> list[bytes]:
    """Return every message of a queue, taken out of it."""
    bodies = []
    with broker.channel() as channel:
        while (body := channel.basic_get(queue, auto_ack=True)[2]) is not None:
            bodies.append(body)
    return bodies


@pytest.fixture
def open_link() -> Iterator[OpenLink]:
    links: list[Link] = []

    def opened(url: str, **options: object) -> Link:
        links.append(Link(url, "test", **options))
        links[-1].open(10)
        return links[-1]

    yield opened
    for link in links:
        link.close(0)


def test_what_is_published_is_confirmed_once_the_broker_has_it(broker, open_link):
    link = open_link(broker.url())

    futures = [link.publish(to(names.REPORTS, body=b"%d" % number)) for number in range(1000)]
    for future in futures:
        future.result(10)

    assert received(broker) == [b"%d" % number for number in range(1000)]


def test_a_full_queue_rejects_and_what_fits_elsewhere_goes_on(empty_broker, open_link):
    empty_broker.apply(limits=Limits(queue_length=3))
    link = open_link(empty_broker.url())

    rejected = [link.publish(to(names.REPORTS)).exception(10) for _ in range(30)]

    assert isinstance(rejected[-1], PublishRejected)
    assert "full" in str(rejected[-1])
    link.publish(to(names.FAILED)).result(10)


def test_what_one_publication_may_not_do_hurts_no_other(broker, open_link):
    link = open_link(broker.submitter())
    good = [to(names.REQUESTS, "job.list", b"%d" % number) for number in range(100)]

    futures = [link.publish(publication) for publication in good[:50]]
    forbidden = [link.publish(to(names.RESULTS, "reply.ann-1a.succeeded")) for _ in range(2)]
    futures += [link.publish(publication) for publication in good[50:]]

    for future in futures:
        future.result(20)
    for future in forbidden:
        with pytest.raises(BrokerRefused, match="ACCESS_REFUSED"):
            future.result(20)
    assert set(received(broker, names.REQUESTS_QUEUE)) == {publication.body for publication in good}
    link.publish(to(names.REQUESTS, "job.list")).result(10)


def test_a_publication_that_was_withdrawn_in_time_is_not_sent(broker, open_link):
    link = open_link(broker.url())
    withdrawn: list[bool] = []
    first = to(names.REPORTS, body=b"first")
    last = to(names.REPORTS, body=b"last")

    def on_link() -> None:
        link.publish(first)
        link.publish(last)
        withdrawn.append(first.confirmed.cancel())

    link.call_soon(on_link)
    while not withdrawn:
        time.sleep(0.01)
    last.confirmed.result(10)

    assert received(broker) == [b"last"]


def test_closing_waits_for_confirmations(broker, open_link):
    link = open_link(broker.url())
    futures = [link.publish(to(names.REPORTS)) for _ in range(500)]

    link.close(10)

    assert all(future.result(0) is None for future in futures)
    assert not link.is_connected


def test_a_closed_link_takes_nothing_and_closing_again_is_harmless(broker, open_link):
    link = open_link(broker.url())
    link.close()
    link.close()

    with pytest.raises(BrokerUnreachable, match="closed"):
        link.publish(to(names.REPORTS))


def test_a_refused_login_is_an_error_at_once(broker):
    for url in (broker.url(password="wrong-secret"), broker.node.url(vhost="no-such-vhost")):
        before = time.monotonic()
        with pytest.raises(BrokerRefused, match="refused the login") as refused:
            Link(url, "test").open(30)
        assert time.monotonic() - before < 10
        assert "wrong-secret" not in str(refused.value)


def test_a_set_up_that_is_refused_is_an_error_at_once(broker):
    with pytest.raises(BrokerRefused, match="ACCESS_REFUSED"):
        Link(broker.submitter(), "test", lambda channel, _: channel.queue_declare("mine")).open(30)


@pytest.mark.parametrize("listens", [False, True], ids=["nobody", "a server that says nothing"])
def test_no_broker_is_an_error_within_the_time_given(listens):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        if not listens:
            server.close()
        before = time.monotonic()
        with pytest.raises(BrokerUnreachable, match=f"ann@{address}") as unreachable:
            Link(f"amqp://ann:secret@{address}/starai", "test").open(0.2)

    assert time.monotonic() - before < 3
    assert "secret" not in str(unreachable.value)


def test_a_host_that_nobody_knows_is_unreachable():
    with pytest.raises(BrokerUnreachable, match=r"no-such-host\.invalid"):
        Link("amqps://ann:secret@no-such-host.invalid/starai", "test").open(0.2)


def test_the_last_thing_before_a_link_leaves_is_done(broker, open_link):
    link = open_link(broker.url(), on_leave=lambda channel: channel.queue_delete(names.FAILED))

    link.close()

    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
        broker.depth(names.FAILED)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_pause_grows_with_each_attempt_and_has_a_bound_however_long_the_outage(one, other):
    fewer, more = sorted((one, other))

    assert 0 < pause(fewer) <= pause(more) <= 5.0
