"""Answers that are forged, unreadable, old, late or too many."""

import pytest

from registry.device_state import DeviceState
from registry.health_state import Check, Condition
from tests.health.conftest import COUNTED
from tests.health.hand_device import in_the_name_of, replaying, silent, unreadable, well, wrong_nonce

ACTIVE = DeviceState.ACTIVE


@pytest.mark.parametrize("lie", [wrong_nonce, None])
def test_an_answer_that_is_forged_fails_its_sender_and_nobody_else(network, lie):
    device, other = network.device(), network.device()
    network.devices(2)
    device.answer = lie or in_the_name_of(other)

    network.cycle().run()

    assert network.health(device).failed_check is Check.IDENTITY
    assert network.health(device).trust == pytest.approx(0.5, abs=0.01)
    assert network.health(other).condition is Condition.WELL
    assert network.state(other) is ACTIVE


def test_an_answer_that_cannot_be_read_shows_no_lie(network):
    device = network.device()
    network.devices(3)
    device.answer = unreadable

    network.cycle().run()

    assert network.health(device).failed_check is Check.IDENTITY
    assert network.health(device).trust == pytest.approx(0.9, abs=0.01)


def test_an_answer_to_an_earlier_probe_is_none(network):
    device, cycle = network.device(), network.cycle(deadline=0.7)
    network.devices(3)
    device.answer = replaying
    cycle.run()  # the first probe, so that it is right
    cycle.run()

    assert network.health(device).condition is Condition.SILENT
    assert not network.events(device, *COUNTED)


def test_an_answer_that_comes_late_and_another_in_time_are_told_apart(network):
    device, cycle = network.device(), network.cycle(deadline=0.7)
    network.devices(3)
    device.answer = silent
    cycle.run()
    late = device.report(device.probes[0])
    device.answer = lambda device, probe: (device.send(late), well(device, probe))
    cycle.run()

    assert network.health(device).condition is Condition.WELL
    assert network.state(device) is ACTIVE


def test_what_nobody_was_asked_for_is_dropped_and_a_flood_is_not_kept(network):
    device = network.device()
    device.answer = lambda device, probe: [device.send(device.report(probe)) for _ in range(500)]
    others = network.devices(2)

    network.cycle().run()

    assert all(network.health(one).condition is Condition.WELL for one in (device, *others))
