"""The health cycle on a real broker, with devices that answer as a test tells them."""

import threading
from datetime import timedelta

import pytest

from registry.columns import now
from registry.device_state import DeviceState
from registry.health_state import Check, Condition
from registry.tables import EventKind
from tasks.order import Duty
from tests.health.conftest import QUEUE
from tests.health.hand_device import failing, in_the_name_of, replaying, silent, unreadable, well, wrong_nonce

ACTIVE, INACTIVE, OFFLINE = DeviceState.ACTIVE, DeviceState.INACTIVE, DeviceState.OFFLINE
COUNTED = (EventKind.CHECK_FAILED, EventKind.SILENT)


def test_devices_that_are_well_stay_at_work_and_nothing_is_written_of_them_but_their_health(network):
    devices = network.devices(3)

    network.cycle().run()

    for device in devices:
        health = network.health(device)
        assert network.state(device) is ACTIVE
        assert (health.condition, health.cycle, health.load) == (Condition.WELL, 1, 0.1)
        assert health.answered_at == health.checked_at
        assert not network.events(device, *COUNTED)
    (cycle,) = network.cycles()
    assert cycle.ended_at
    assert (cycle.probed, cycle.well, cycle.outage) == (3, 3, None)


def test_a_cycle_ends_when_all_have_answered(network, until):
    network.devices(2)
    done = threading.Event()

    threading.Thread(target=lambda: (network.cycle(deadline=60).run(), done.set())).start()

    until(done.is_set, 30)


def test_one_that_fails_is_out_of_work_until_a_check_finds_it_well_and_need_not_start_again(network, until):
    device, others, cycle = network.device(), network.devices(3), network.cycle()
    device.answer = failing
    cycle.run()

    assert network.state(device) is INACTIVE
    assert not device.may_take(QUEUE)
    assert [network.state(other) for other in others] == [ACTIVE] * 3
    health = network.health(device)
    assert (health.condition, health.failures) == (Condition.FAILED, 1)
    (event,) = network.events(device, *COUNTED)
    assert (event.kind, event.cycle, event.failed_check) == (EventKind.CHECK_FAILED, 1, health.failed_check)
    assert event.trust == health.trust < 1.0
    assert event.owner_id == 1

    device.answer = well
    cycle.run()

    assert network.state(device) is ACTIVE
    assert device.may_take(QUEUE)
    until(lambda: device.duties[-1] is Duty.SERVE)
    assert network.health(device).failures == 0


def test_one_that_stays_broken_is_charged_ever_more_seldom(network):
    device, cycle = network.device(), network.cycle()
    network.devices(3)
    device.answer = failing
    for _ in range(5):
        cycle.run()

    assert [event.cycle for event in network.events(device, *COUNTED)] == [1, 2, 4]


def test_one_that_is_silent_is_out_of_work_at_once_and_charged_at_its_third_silence_once(network):
    device, cycle = network.device(), network.cycle(deadline=0.5)
    network.devices(3)
    cycle.run()
    device.answer = silent
    cycle.run()

    assert network.state(device) is INACTIVE
    assert not network.events(device, *COUNTED)
    for _ in range(4):
        cycle.run()
    (event,) = network.events(device, *COUNTED)
    assert (event.kind, event.cycle) == (EventKind.SILENT, 4)
    assert network.health(device).silences == 5
    assert len(network.events(device, EventKind.INACTIVE)) == 1


def test_one_that_was_never_heard_of_has_not_gone(network):
    device, cycle = network.device(INACTIVE), network.cycle(deadline=0.3)
    device.answer = silent
    for _ in range(4):
        cycle.run()

    assert not network.events(device, *COUNTED)
    assert network.health(device).trust == 1.0


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


def test_of_two_cycles_at_once_one_is_made(network, until):
    device = network.device()
    device.answer = silent
    cycles = [network.cycle(deadline=3.0, health_seconds=1.0) for _ in range(2)]
    threads = [threading.Thread(target=cycle.run) for cycle in cycles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(network.cycles()) == 1
    assert len(device.probes) == 1


def test_padding_goes_there_and_back_once_a_device_is_known(network):
    device = network.device()
    cycle = network.cycle(health_padding_bytes=4096, health_padding_every=1)
    cycle.run()
    first = network.health(device).round_trip
    cycle.run()

    assert [len(probe.padding) for probe in device.probes] == [0, 4096]
    health = network.health(device)
    assert health.condition is Condition.WELL
    assert health.round_trip == first
    assert health.up


def test_an_error_with_one_device_keeps_no_other_from_its_own(network):
    gone, device = network.device(), network.device()
    network.devices(5)
    for one in (gone, device):
        one.answer = failing
    network.broker.node.api.delete_user(gone.id)
    network.cycle().run()

    assert network.state(device) is INACTIVE
    assert not device.may_take(QUEUE)


def test_a_cycle_closes_while_it_waits_and_has_judged_nobody(network, until):
    device, cycle = network.device(), network.cycle(deadline=60)
    device.answer = silent
    waiting = threading.Thread(target=cycle.run)
    waiting.start()
    until(lambda: device.probes)

    cycle.close()
    waiting.join(10)

    assert not waiting.is_alive()
    assert network.cycles()[-1].ended_at is None
    assert network.health(device).condition is Condition.UNKNOWN
