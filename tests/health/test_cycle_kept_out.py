"""Devices that a cycle brings to work in no case, however well they are."""

from datetime import timedelta

from registry.columns import now
from registry.device_state import DeviceState
from registry.health_state import Condition
from tests.health.hand_device import well

ACTIVE, INACTIVE, OFFLINE = DeviceState.ACTIVE, DeviceState.INACTIVE, DeviceState.OFFLINE


def test_one_that_the_operator_took_out_stays_out_however_well_it_is(network):
    device = network.device()
    network.devices(2)
    network.cycle().run()
    network.enforcement.deactivate(device.id, "a repair", grace=0, hold=True)

    network.cycle().run()

    assert network.health(device).condition is Condition.WELL
    assert network.state(device) is INACTIVE
    network.enforcement.activate(device.id, "repaired")
    assert not network.health(device).held
    assert network.state(device) is ACTIVE


def test_one_in_quarantine_stays_out_until_that_is_over(network):
    device, cycle = network.device(INACTIVE), network.cycle()
    cycle.run()
    network.enforcement.deactivate(device.id, "a test", grace=0)
    network.change(device, quarantined_until=now() + timedelta(hours=1))
    cycle.run()
    assert network.state(device) is INACTIVE

    network.change(device, quarantined_until=now() - timedelta(seconds=1))
    cycle.run()
    assert network.state(device) is ACTIVE


def test_devices_that_are_offline_or_gone_meanwhile_are_left_alone(network):
    device, leaving = network.device(OFFLINE), network.device()
    network.devices(2)
    leaving.answer = lambda device, probe: (network.enforcement.dismiss(device.id, "a test"), well(device, probe))

    network.cycle().run()

    assert not device.probes
    assert network.state(device) is network.state(leaving) is OFFLINE
    assert network.health(leaving).condition is Condition.UNKNOWN
