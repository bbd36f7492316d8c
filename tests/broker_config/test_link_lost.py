"""A link whose connection is lost."""

import threading

import pika
import pytest

from broker_config import names
from broker_config.errors import BrokerRefused, BrokerUnreachable
from broker_config.link import Link
from broker_config.publication import Publication


def report(number: int) -> Publication:
    return Publication(names.REPORTS, "clearance", b"%d" % number, pika.BasicProperties(delivery_mode=2))


def numbers(broker) -> set[int]:
    found = set()
    with broker.channel() as channel:
        while (body := channel.basic_get(names.REPORTS, auto_ack=True)[2]) is not None:
            found.add(int(body))
    return found


def connections(broker) -> list[str]:
    return [one["name"] for one in broker.node.api.connections() if one.get("vhost") == broker.vhost]


def test_what_was_under_way_when_the_broker_closed_the_connection_arrives(broker, until):
    link = Link(broker.device("d1"), "test")
    link.open(10)
    until(lambda: connections(broker))
    futures = []
    underway = threading.Event()

    def publish() -> None:
        for number in range(1200):
            futures.append(link.publish(report(number)))
            if number > 300:
                underway.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    underway.wait(10)
    broker.node.api.close_connection(connections(broker)[0], "test")
    publisher.join()

    for future in futures:
        future.result(20)
    until(lambda: link.is_connected)
    assert numbers(broker) == set(range(1200))
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
