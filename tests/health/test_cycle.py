"""The health cycle on a real broker, with devices that answer as a test tells them."""

import threading

from models.browser import BROWSER
from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.tables import EventKind
from tasks.order import Duty
from tests.health.conftest import COUNTED, QUEUE
from tests.health.hand_device import failing, silent, well

ACTIVE, INACTIVE = DeviceState.ACTIVE, DeviceState.INACTIVE


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


def test_a_phone_that_is_silent_is_out_of_work_at_once_and_pays_nothing(network):
    phone, cycle = network.device(), network.cycle(deadline=0.5)
    network.devices(3)
    network.measured(phone, BROWSER)
    phone.answer = in_a_browser
    cycle.run()
    phone.answer = silent
    for _ in range(4):
        cycle.run()

    assert (network.state(phone), network.health(phone).silences) == (INACTIVE, 4)
    assert (network.events(phone, *COUNTED), network.health(phone).trust) == ([], 1.0)
    phone.answer = in_a_browser
    cycle.run()
    assert network.state(phone) is ACTIVE


def in_a_browser(device, probe):
    """Answer as a page does, which does not know all of its phone."""
    device.send(device.report(probe, provider=BROWSER, processor=None, memory_left=None))


def test_one_that_was_never_heard_of_has_not_gone(network):
    device, cycle = network.device(INACTIVE), network.cycle(deadline=0.3)
    device.answer = silent
    for _ in range(4):
        cycle.run()

    assert not network.events(device, *COUNTED)
    assert network.health(device).trust == 1.0


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
