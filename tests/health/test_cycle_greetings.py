"""Devices that come and go: they say so, and serve, or are left alone, within seconds."""

import time

import pika
import pytest

from broker_config import names
from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.tables import EventKind
from tasks.enforcement import Enforcement
from tasks.envelope import read, write
from tasks.greeting import GOODBYE, HELLO, Goodbye, Greeted, Hello
from tasks.health.greetings import Greetings
from tasks.platform import Platform
from tests.conftest import idle
from tests.health.conftest import QUEUE
from tests.health.hand_device import failing, silent, well

ACTIVE, INACTIVE, OFFLINE = DeviceState.ACTIVE, DeviceState.INACTIVE, DeviceState.OFFLINE


@pytest.fixture
def greetings(network):
    return Greetings(network.engine, network.enforcement)


def hello(greetings, device) -> Greeted:
    return read(Greeted, greetings.hello(device.id, write(Hello(software="1.0"))))


def goodbye(greetings, device, left=0) -> Greeted:
    return read(Greeted, greetings.goodbye(device.id, write(Goodbye(left=left))))


def test_an_offline_device_that_comes_serves_after_a_short_check_and_no_cycle_is_counted(network, greetings):
    device = network.device(OFFLINE)

    assert hello(greetings, device) == Greeted(state="inactive", sound=True)
    network.cycle().greet()

    assert network.state(device) is ACTIVE
    assert device.may_take(QUEUE)
    assert network.cycles() == []
    assert [probe.cycle for probe in device.probes] == [0]


def test_only_those_are_checked_that_have_come_since_they_were_last(network, greetings):
    device, other = network.device(INACTIVE), network.device()
    for one in (device, other):
        hello(greetings, one)
    cycle = network.cycle()
    cycle.greet()
    cycle.greet()

    assert len(device.probes) == 1
    assert other.probes == []


def test_one_that_comes_and_fails_waits_for_the_next_cycle_and_is_not_charged(network, greetings):
    device, cycle = network.device(INACTIVE), network.cycle()
    device.answer = failing
    hello(greetings, device)
    cycle.greet()
    device.answer = well
    hello(greetings, device)  # as it does when its connections were closed
    cycle.greet()

    health = network.health(device)
    assert (health.condition, health.failures, health.trust) == (Condition.FAILED, 0, 1.0)
    assert not network.events(device, EventKind.CHECK_FAILED)
    assert network.state(device) is INACTIVE
    cycle.run()
    assert network.state(device) is ACTIVE


def test_one_that_comes_and_says_nothing_is_asked_again(network, greetings):
    device, cycle = network.device(INACTIVE), network.cycle(deadline=0.5)
    device.answer = silent
    hello(greetings, device)
    cycle.greet()
    assert network.health(device).condition is Condition.UNKNOWN

    device.answer = well
    cycle.greet()
    assert network.state(device) is ACTIVE


def test_one_that_the_operator_holds_is_not_checked_when_it_comes(network, greetings):
    device = network.device()
    network.enforcement.deactivate(device.id, "a repair", grace=0, hold=True)
    goodbye(greetings, device)

    assert hello(greetings, device).state == "inactive"
    network.cycle().greet()

    assert device.probes == []
    assert network.health(device).held


def test_one_that_goes_is_offline_keeps_its_connection_and_may_take_no_more(network, greetings):
    device = network.device()

    assert goodbye(greetings, device, left=2) == Greeted(state="offline", sound=True)
    assert goodbye(greetings, device).state == "offline"

    assert device.link.is_connected
    assert not device.may_take(QUEUE)
    (event,) = network.events(device, EventKind.OFFLINE)
    assert event.reason == "its owner ended it, and left 2 tasks to others"
    network.cycle().run()
    assert device.probes == []


def test_without_a_management_api_the_registry_is_told_all_the_same(network):
    device = network.device()

    goodbye(Greetings(network.engine, None), device)

    assert network.state(device) is OFFLINE


def test_where_the_management_api_does_not_answer_a_device_may_go_all_the_same(network):
    api = type(network.broker.node.api)("http://127.0.0.1:9", "nobody", "nothing", timeout=1.0)
    device = network.device()

    assert goodbye(Greetings(network.engine, Enforcement(network.engine, api, network.broker.url())), device).state == (
        "offline"
    )


@pytest.mark.parametrize("user", [None, "", "a-stranger", "platform"])
def test_a_stranger_is_told_that_nobody_knows_it(greetings, user):
    for answer in (greetings.hello(user, b"{}"), greetings.goodbye(user, b"{}")):
        assert read(Greeted, answer) == Greeted(state="unknown", sound=False)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"device": "another"}', b"x" * 100_000])
def test_what_is_no_greeting_changes_nothing(network, greetings, body):
    device = network.device(OFFLINE)

    assert read(Greeted, greetings.hello(device.id, body)).state == "unknown"

    assert network.state(device) is OFFLINE


def test_a_blacklisted_device_stays_that(network, greetings):
    device = network.device()
    network.blacklist(device)

    assert hello(greetings, device).state == "blacklisted"
    assert goodbye(greetings, device).state == "blacklisted"


def ask(device, key: str, body: bytes) -> Greeted:
    with pika.BlockingConnection(idle(device.url)) as connection:
        channel = connection.channel()
        heard: list[bytes] = []
        channel.basic_consume("amq.rabbitmq.reply-to", lambda *message: heard.append(message[3]), auto_ack=True)
        properties = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", user_id=device.id, correlation_id="1")
        channel.basic_publish(names.REPORTS, key, body, properties)
        connection.process_data_events(0)
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            connection.process_data_events(0.1)
        return read(Greeted, heard[0])


def test_greetings_are_answered_over_the_broker(network, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_URL", network.broker.url())
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", network.broker.node.api.url)
    monkeypatch.setenv("STARAI_DATABASE_URL", network.engine.url.render_as_string(hide_password=False))
    device, platform = network.device(OFFLINE), Platform()
    platform.open()
    try:
        assert ask(device, HELLO, write(Hello())).state == "inactive"
        assert ask(device, GOODBYE, write(Goodbye())).state == "offline"
    finally:
        platform.close()
