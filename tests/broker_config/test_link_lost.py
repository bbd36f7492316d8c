"""A link whose connection is lost."""

import threading

import pika
import pytest

from broker_config import names
from broker_config.errors import BrokerRefused, BrokerUnreachable
from broker_config.link import Link, Publication


def report(number: int) -> Publication:
    return Publication(names.REPORTS, "health", b"%d" % number, pika.BasicProperties(delivery_mode=2))


def numbers(broker) -> set[int]:
    found = set()
    with broker.channel() as channel:
        while (body := channel.basic_get(names.REPORTS, auto_ack=True)[2]) is not None:
            found.add(int(body))
    return found


def close_connections(broker, user: str) -> int:
    """Close a user's connections by the management API, and return how many there were."""
    mine = [one for one in broker.node.api.connections() if one.get("user") == user and one["vhost"] == broker.vhost]
    for connection in mine:
        broker.node.api.close_connection(connection["name"], "test")
    return len(mine)


def test_what_was_under_way_when_the_broker_closed_the_connection_arrives(broker, until):
    link = Link(broker.device("d1"), "test")
    link.open(10)
    futures = []
    stop = threading.Event()

    def publish() -> None:
        while not stop.is_set():
            futures.extend(link.publish(report(len(futures))) for _ in range(50))
            stop.wait(0.01)

    publisher = threading.Thread(target=publish)
    publisher.start()
    for _ in range(2):
        until(lambda: close_connections(broker, "d1"))
        until(lambda: not link.is_connected)
        until(lambda: link.is_connected)
    stop.set()
    publisher.join()

    for future in futures:
        future.result(20)
    assert numbers(broker) == set(range(len(futures)))
    link.close()


def test_a_link_comes_back_after_the_broker_crashed_and_so_does_what_was_confirmed(own_broker, crash, until):
    link = Link(own_broker.url(), "test")
    link.open(10)
    confirmed = [link.publish(report(number)) for number in range(100)]
    for future in confirmed:
        future.result(10)

    crash(own_broker.node)
    until(lambda: not link.is_connected)
    meanwhile = [link.publish(report(number)) for number in range(100, 200)]
    own_broker.node.start(lifeline=True)

    for future in meanwhile:
        future.result(30)
    assert numbers(own_broker) == set(range(200))
    link.close()


def test_a_user_that_was_deleted_has_its_publications_refused(broker, until):
    link = Link(broker.device("leaver"), "test")
    link.open(10)
    broker.node.api.delete_user("leaver")
    until(lambda: not link.is_connected)

    def refused() -> bool:
        try:
            error = link.publish(report(1)).exception(10)
        except BrokerRefused:
            return True
        assert isinstance(error, BrokerRefused)
        return False

    until(refused)
    link.close(5)


def test_closing_without_a_connection_ends_what_is_not_confirmed(broker, until):
    link = Link(broker.device("d1"), "test")
    link.open(10)
    broker.node.api.delete_vhost(broker.vhost)
    try:
        until(lambda: not link.is_connected)
        with pytest.raises((BrokerRefused, BrokerUnreachable)):
            link.publish(report(1)).result(10)
        link.close(0)
    finally:
        broker.node.api.put_vhost(broker.vhost)
