"""Cycles in which nothing counts, because the fault may be the network's own."""

from registry.device_state import DeviceState
from tests.health.conftest import COUNTED
from tests.health.hand_device import failing, silent, well

ACTIVE, INACTIVE = DeviceState.ACTIVE, DeviceState.INACTIVE


def test_half_a_fleet_that_is_silent_is_an_outage_and_its_state_follows_in_the_second(network, caplog):
    gone, there, cycle = network.devices(2), network.devices(2), network.cycle(deadline=0.7)
    cycle.run()
    for device in gone:
        device.answer = silent
    cycle.run()

    assert "2 of 4 devices" in network.cycles()[-1].outage
    assert [network.state(device) for device in (*gone, *there)] == [ACTIVE] * 4

    cycle.run()

    assert network.cycles()[-1].outage
    assert [network.state(device) for device in gone] == [INACTIVE] * 2
    assert [network.state(device) for device in there] == [ACTIVE] * 2
    for device in gone:
        assert not network.events(device, *COUNTED)
        assert network.health(device).silences == 0
        assert network.health(device).trust > 0.99
    for device in gone:
        device.answer = well
    cycle.run()
    assert [network.state(device) for device in gone] == [ACTIVE] * 2


def test_nothing_counts_in_the_first_cycle_after_the_platform_was_away(network):
    device = network.device()
    network.devices(3)
    network.was_checked(seconds=600)
    device.answer = failing

    network.cycle().run()

    assert "away" in network.cycles()[-1].outage
    assert network.state(device) is ACTIVE
    assert not network.events(device, *COUNTED)


def test_nothing_counts_while_the_broker_has_just_been_started(network):
    device = network.device()
    device.answer = failing

    network.cycle(broker_up=lambda: 20.0).run()

    assert "20 s" in network.cycles()[-1].outage
    assert network.state(device) is ACTIVE


def test_half_a_fleet_that_stays_away_after_an_outage_is_never_charged_for_it(network):
    gone, _, cycle = network.devices(2), network.devices(2), network.cycle(deadline=0.7)
    cycle.run()
    for device in gone:
        device.answer = silent
    for _ in range(6):
        cycle.run()

    assert network.cycles()[-1].outage is None
    for device in gone:
        assert network.state(device) is INACTIVE
        assert not network.events(device, *COUNTED)
