"""What follows from devices' standing, at a real broker: bands and quarantine, each once."""

from datetime import timedelta

import pytest
from pika.exceptions import ChannelClosedByBroker

from registry.database import session
from registry.device_state import DeviceState
from registry.states import set_state
from registry.tables import EventKind
from tests.health.failing_fleet import QUEUE, stop


def test_a_device_that_fails_a_few_times_falls_into_the_lower_band_and_is_told_so_once(fleet):
    fleet.fail("device-one", 0.35)

    fleet.follow()
    fleet.follow()

    assert [order.sound for order in fleet.orders("device-one")] == [False]
    assert fleet.done("device-one") == [EventKind.DEMOTED]
    assert not fleet.health("device-one").sound
    assert fleet.state("device-one") is DeviceState.ACTIVE
    assert fleet.orders("device-two") == []


def test_with_time_it_comes_back_into_the_upper_band(fleet):
    fleet.fail("device-one", 0.35)
    fleet.follow()
    fleet.follow(fleet.at + timedelta(hours=20))  # 0.80: not enough yet
    assert fleet.done("device-one") == [EventKind.DEMOTED]

    fleet.follow(fleet.at + timedelta(days=2))

    assert [order.sound for order in fleet.orders("device-one")] == [False, True]
    assert fleet.done("device-one") == [EventKind.DEMOTED, EventKind.PROMOTED]


def test_one_that_was_told_its_band_before_that_was_written_down_is_told_again(fleet, monkeypatch):
    fleet.fail("device-one", 0.35)
    with monkeypatch.context() as patch:
        patch.setattr("tasks.health.consequences.change_band", stop)
        with pytest.raises(KeyboardInterrupt):
            fleet.follow()
    assert fleet.done("device-one") == []

    fleet.follow()

    assert [order.sound for order in fleet.orders("device-one")] == [False, False]
    assert fleet.done("device-one") == [EventKind.DEMOTED]


def test_one_that_goes_on_failing_is_quarantined_once_a_failure_and_taken_out_of_work(fleet):
    fleet.fail("device-one", 0.60)
    channel = fleet.connect("device-one").channel()
    channel.basic_get(QUEUE)

    fleet.follow()
    fleet.follow()

    assert fleet.done("device-one") == [EventKind.DEMOTED, EventKind.QUARANTINED]
    assert fleet.health("device-one").quarantined_until == fleet.at + timedelta(minutes=15)
    assert fleet.state("device-one") is DeviceState.INACTIVE
    with pytest.raises(ChannelClosedByBroker):
        fleet.connect("device-one").channel().basic_get(QUEUE)


def test_the_next_quarantine_is_twice_as_long(fleet):
    for cost in (0.60, 0.20):
        fleet.fail("device-one", cost)
        fleet.follow()

    assert fleet.health("device-one").quarantined_until == fleet.at + timedelta(minutes=30)
    assert fleet.health("device-one").quarantines == 2


def test_a_quarantined_device_that_serves_because_something_was_cut_short_is_taken_out(fleet):
    fleet.fail("device-one", 0.60)
    fleet.follow()
    with session(fleet.engine) as registry:
        set_state(registry, "device-one", DeviceState.ACTIVE, "as if it had never been told")

    fleet.follow()

    assert fleet.state("device-one") is DeviceState.INACTIVE
    assert fleet.done("device-one").count(EventKind.QUARANTINED) == 1
