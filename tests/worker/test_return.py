"""A device that is shut out while it runs, and let in again; and one that is greeted."""

import re
import time
from types import SimpleNamespace

import pytest

from broker_config import names
from broker_config.link import Link
from broker_config.roles import device_role
from broker_config.users import put_user
from starai.errors import Expired
from tasks.answering import Answering
from tasks.envelope import read, write
from tasks.greeting import Greeted, Hello
from tasks.probe import Probe, read_report
from tests.worker.conftest import QUEUES


@pytest.fixture
def shut_out(broker):
    return lambda device: broker.node.api.delete_user(device.id)


@pytest.fixture
def let_in(broker):
    def put_back(device):
        role = device_role(device.id, QUEUES.values())
        put_user(broker.node.api, device.id, f"secret-of-{device.id}", role, broker.vhost)

    return put_back


def test_a_device_that_was_shut_out_serves_and_answers_probes_when_it_is_let_in_again(
    broker, start, shut_out, let_in, ask, order, heard, until
):
    device = start(broker)
    shut_out(device)
    until(lambda: device.log.count("device.refused") == 2 and "results.refused" in device.log)

    let_in(device)

    until(lambda: len(device.connections()) == 2, 60)  # both, though it has nothing to say
    order(device, probe=Probe(cycle=1))
    assert read_report(heard()[1], None).device == device.id
    assert ask("hello").result(20).shape == (1,)
    assert device.process.poll() is None


def test_a_device_that_stays_shut_out_asks_ever_more_seldom(broker, start, shut_out, until):
    device = start(broker)
    shut_out(device)

    until(lambda: device.log.count("device.refused") == 3, 30)

    pauses = [float(found) for found in re.findall(r"device\.refused.*seconds=([\d.]+)", device.log)]
    assert pauses == [5, 10, 20]
    assert [float(found) for found in re.findall(r"results\.refused.*seconds=([\d.]+)", device.log)][:2] == [5, 10]


def test_a_device_that_is_inactive_asks_every_five_seconds(broker, start, until):
    device = start(broker, queues=[QUEUES["asia"]], wait=False)

    until(lambda: device.log.count("device.refused") == 3, 30)

    assert re.findall(r"device\.refused.*seconds=([\d.]+)", device.log) == ["5.0"] * 3


@pytest.fixture
def greeted(broker):
    """Who said hello, with which version; each is told that it is in the lower band."""
    said = []

    def hello(user, body):
        said.append((user, read(Hello, body).software))
        return write(Greeted(state="active", sound=False))

    link = Link(broker.url(), "a platform", lambda channel, ready: (answering.consume(channel, link), ready()))
    answering = Answering(names.REPORTS, {"hello": hello}, names.PLATFORM)
    link.open(10)
    yield said
    answering.close()
    link.close()


def test_a_device_says_hello_with_each_connection_and_takes_the_band_that_it_is_told(broker, greeted, start, until):
    device = start(broker)
    until(lambda: "hello.answered" in device.log and len(device.connections()) == 2)

    results = next(c for c in device.connections() if c["name"] not in device.task_connections())
    broker.node.api.close_connection(results["name"], "a test")

    until(lambda: len(greeted) == 2)
    assert {user for user, _ in greeted} == {device.id}
    until(lambda: {price < 64 for _, price in device.subscriptions().values()} == {True}, 30)


def test_a_deadline_is_by_the_platforms_clock(broker, greeted, start, ask, until, monkeypatch):
    now = time.time
    monkeypatch.setattr("tasks.answering.time", SimpleNamespace(time=lambda: now() + 3600))
    device = start(broker)
    until(lambda: "hello.answered" in device.log)

    with pytest.raises(Expired):
        ask("hello", deadline=600).result(20)
