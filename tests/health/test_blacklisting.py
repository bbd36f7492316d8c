"""Devices that are shut out, and let back, at a real broker."""

import json
import time
from datetime import timedelta

import pytest
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from broker_config import names
from broker_config.errors import BrokerUnreachable, NotAtBroker
from registry.blacklist import open_entry
from registry.consequences import change_band
from registry.database import reading
from registry.device_state import DeviceState
from registry.tables import EventKind
from tests.health.failing_fleet import QUEUE, SETTINGS, stop


def test_what_a_blacklisted_device_held_is_back_in_its_queue_within_a_second_and_it_is_locked_out(fleet, until):
    fleet.submit()
    channel = fleet.connect("device-one").channel()
    assert channel.basic_get(QUEUE)[2] == b"task"
    fleet.fail("device-one", 0.85)

    began = time.monotonic()
    fleet.follow()
    until(lambda: fleet.broker.depth(QUEUE) == 1)

    assert time.monotonic() - began < 1.0
    with pytest.raises(AMQPConnectionError):
        fleet.connect("device-one")
    assert fleet.state("device-one") is DeviceState.BLACKLISTED
    with reading(fleet.engine) as registry:
        entry = open_entry(registry, "device-one")
    assert entry.until == fleet.at + timedelta(days=7)
    assert json.loads(entry.evidence)[0]["cost"] == 0.85
    assert "a test" in entry.reason


def test_at_the_end_of_its_time_its_old_password_works_again_and_reads_its_control_queue_alone(fleet):
    fleet.fail("device-one", 0.85)
    fleet.follow()
    fleet.follow(fleet.at + timedelta(days=6))
    assert fleet.state("device-one") is DeviceState.BLACKLISTED

    end = fleet.at + timedelta(days=7)
    fleet.follow(end)
    fleet.follow(end)

    assert fleet.state("device-one") is DeviceState.INACTIVE
    health = fleet.health("device-one")
    assert (health.trust, health.sound) == (SETTINGS.probation, False)
    fleet.connect("device-one").channel().basic_get(names.device_queue("device-one"))
    with pytest.raises(ChannelClosedByBroker):
        fleet.connect("device-one").channel().basic_get(QUEUE)
    assert fleet.done("device-one").count(EventKind.LIFTED) == 1
    with reading(fleet.engine) as registry:
        assert open_entry(registry, "device-one") is None


def test_a_user_that_outlived_its_blacklisting_is_expelled_the_next_time(fleet, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tasks.health.blacklisting.expel", stop)
        with pytest.raises(KeyboardInterrupt):
            fleet.blacklisting.enter("device-one", "a test", None, fleet.at)
    fleet.connect("device-one").close()

    fleet.follow()

    with pytest.raises(AMQPConnectionError):
        fleet.connect("device-one")
    fleet.blacklisting.lift("device-one", "a mistake", fleet.at)
    fleet.connect("device-one").close()


def test_whom_the_broker_cannot_let_in_stays_on_the_list(fleet, monkeypatch):
    fleet.blacklisting.enter("device-one", "a test", fleet.at, fleet.at)

    def unreachable(*_):
        raise BrokerUnreachable("No management API answers.")

    with monkeypatch.context() as patch:
        patch.setattr(type(fleet.broker.node.api), "put_password_hash", unreachable)
        fleet.follow()
    assert fleet.state("device-one") is DeviceState.BLACKLISTED
    with pytest.raises(NotAtBroker):
        fleet.broker.node.api.password_hash("device-one")

    fleet.follow()

    fleet.connect("device-one").close()


def test_the_last_device_of_a_model_is_quarantined_in_place_of_being_blacklisted(fleet, caplog):
    fleet.device("device-sole", model="another-model")
    fleet.fail("device-sole", 0.85)

    fleet.follow()

    assert fleet.done("device-sole") == [EventKind.DEMOTED, EventKind.QUARANTINED]
    assert fleet.state("device-sole") is DeviceState.INACTIVE
    [spared] = [record for record in caplog.records if record.getMessage() == "blacklist.spared"]
    assert (spared.device, spared.models) == ("device-sole", ["another-model"])


def test_of_two_devices_that_lie_at_once_one_is_left(fleet):
    fleet.fail("device-one", 0.85)
    fleet.fail("device-two", 0.85)

    fleet.follow()

    assert {fleet.state(name) for name in fleet.urls} == {DeviceState.BLACKLISTED, DeviceState.INACTIVE}


def test_trouble_with_one_device_keeps_no_other_from_its_due(fleet, monkeypatch, caplog):
    for name in ("device-one", "device-two"):
        fleet.fail(name, 0.35)

    def refuses_one(registry, device, *rest):
        if device == "device-one":
            raise BrokerUnreachable("a test")
        return change_band(registry, device, *rest)

    monkeypatch.setattr("tasks.health.consequences.change_band", refuses_one)
    fleet.follow()

    assert fleet.done("device-two") == [EventKind.DEMOTED]
    assert [record.device for record in caplog.records if record.getMessage() == "consequence.failed"] == ["device-one"]


def test_while_the_broker_cannot_be_reached_nothing_is_lost_and_nothing_raised(fleet):
    fleet.fail("device-one", 0.35)

    fleet.follow(url=f"amqp://platform:none@127.0.0.1:1/{fleet.broker.vhost}")
    assert fleet.done("device-one") == []
    fleet.follow()

    assert fleet.done("device-one") == [EventKind.DEMOTED]
