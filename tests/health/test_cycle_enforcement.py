"""Many devices are brought out of work and back at once, and none that chose or has to be elsewhere."""

import time
from datetime import timedelta

import pika
import pytest

from registry.columns import now
from registry.database import session
from registry.device_state import DeviceState
from registry.health import add_missing
from tasks.order import Duty
from tests.conftest import idle
from tests.health.conftest import QUEUE

ACTIVE, INACTIVE, OFFLINE, BLACKLISTED = DeviceState


def reasons(devices) -> dict[str, str]:
    return {device.id: "a test" for device in devices}


@pytest.fixture
def mixed(network):
    """A device in each state, with its row of health."""
    devices = {state: network.device() for state in DeviceState}
    for state in (INACTIVE, OFFLINE):
        getattr(network.enforcement, "dismiss" if state is OFFLINE else "deactivate")(
            devices[state].id, "a test", **({} if state is OFFLINE else {"grace": 0})
        )
    network.blacklist(devices[BLACKLISTED])
    with session(network.engine) as registry:
        add_missing(registry, now())
    return devices


def test_all_are_told_first_and_have_one_grace_together(network, until):
    devices = network.devices(3)
    connections = [pika.BlockingConnection(idle(device.url)) for device in devices]
    for connection in connections:
        connection.channel().basic_consume(QUEUE, print)
    with session(network.engine) as registry:
        add_missing(registry, now())
    until(lambda: all(network.enforcement._is_at_work({device.id}) for device in devices))  # the broker says it late
    begun = time.monotonic()

    network.enforcement.deactivate_all(reasons(devices), grace=1.0, within=30)

    assert 1.0 <= time.monotonic() - begun < 3.0
    until(lambda: all(device.duties == [Duty.REST] for device in devices))
    assert [network.state(device) for device in devices] == [INACTIVE] * 3
    assert not any(device.may_take(QUEUE) for device in devices)
    for connection in connections:
        with pytest.raises(pika.exceptions.AMQPError):
            connection.process_data_events(5)


def test_those_that_are_elsewhere_by_now_are_left_there(network, mixed):
    network.enforcement.deactivate_all(reasons(mixed.values()), grace=0, within=30)
    assert [network.state(mixed[state]) for state in DeviceState] == [INACTIVE, INACTIVE, OFFLINE, BLACKLISTED]

    network.enforcement.activate_all(reasons(mixed.values()), within=30)
    assert [network.state(mixed[state]) for state in DeviceState] == [ACTIVE, ACTIVE, OFFLINE, BLACKLISTED]
    assert mixed[INACTIVE].may_take(QUEUE)


def test_one_that_was_held_while_it_was_to_come_back_stays_out(network, mixed):
    network.change(mixed[INACTIVE], held=True)
    network.change(mixed[ACTIVE], quarantined_until=now() + timedelta(hours=1))
    network.enforcement.deactivate(mixed[ACTIVE].id, "a test", grace=0)

    network.enforcement.activate_all(reasons(mixed.values()), within=30)

    assert network.state(mixed[INACTIVE]) is network.state(mixed[ACTIVE]) is INACTIVE


def test_who_has_had_no_turn_in_time_stays_as_it_was_or_is_narrowed_later(network, mixed):
    network.enforcement.activate_all(reasons(mixed.values()), within=0)
    assert network.state(mixed[INACTIVE]) is INACTIVE

    network.enforcement.deactivate_all(reasons(mixed.values()), grace=0, within=-1)
    assert network.state(mixed[ACTIVE]) is INACTIVE
    assert mixed[ACTIVE].may_take(QUEUE)
    network.enforcement.deactivate_all(reasons(mixed.values()), grace=0, within=30)
    assert not mixed[ACTIVE].may_take(QUEUE)
