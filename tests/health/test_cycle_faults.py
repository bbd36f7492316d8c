"""What a cycle leaves behind when something ends it in the middle, and what the next one makes good."""

import os
import signal
import subprocess
import sys

import pytest

from broker_config.errors import BrokerUnreachable
from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.tables import EventKind
from tests.health.conftest import QUEUE
from tests.health.hand_device import failing, silent, well

_CYCLE = """
import os
from registry.database import open_engine
from tasks.health.cycle import Cycle
from tasks.health.cycle_settings import CycleSettings
Cycle(open_engine(), os.environ["STARAI_BROKER_URL"], None, settings=CycleSettings(health_deadline_seconds=60)).run()
"""


def start_cycle(network) -> "subprocess.Popen[bytes]":
    addresses = {
        "STARAI_BROKER_URL": network.broker.url(),
        "STARAI_DATABASE_URL": network.engine.url.render_as_string(hide_password=False),
    }
    return subprocess.Popen([sys.executable, "-c", _CYCLE], env={**os.environ, **addresses})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_that_is_killed_in_the_middle_has_judged_nobody_and_the_next_cycle_is_made(network, until):
    device, others = network.device(), network.devices(3)
    device.answer = silent
    process = start_cycle(network)
    until(lambda: device.probes, 30)

    process.send_signal(signal.SIGKILL)
    process.wait(10)

    assert network.cycles()[0].ended_at is None
    assert all(network.health(one).condition is Condition.UNKNOWN for one in (device, *others))
    assert all(network.state(one) is DeviceState.ACTIVE for one in (device, *others))
    device.answer = failing
    network.cycle().run()
    assert network.cycles()[1].ended_at
    assert network.health(device).condition is Condition.FAILED


def test_a_cycle_whose_broker_dies_has_judged_nobody_who_was_silent(own_network, crash, until):
    network = own_network
    device = network.device()
    device.answer = lambda _device, _probe: crash(network.broker.node)

    network.cycle(deadline=2.0).run()

    assert "lost its connection" in network.cycles()[0].outage
    assert network.state(device) is DeviceState.ACTIVE
    assert network.health(device).silences == 0


class Failing:
    """A management API that does not answer while it is told so."""

    def __init__(self, api):
        self._api = api
        self.broken = True

    def __getattr__(self, name):
        if self.broken:
            raise BrokerUnreachable("No management API answers.")
        return getattr(self._api, name)


def test_one_that_could_not_be_shut_out_is_shut_out_by_the_next_cycle(network):
    device, cycle = network.device(), network.cycle()
    network.devices(3)
    device.answer = lambda device, probe: device.send(device.report(probe, disk_left=0, consumers=2))
    network.enforcement._management = Failing(network.broker.node.api)
    cycle.run()
    assert network.state(device) is DeviceState.INACTIVE
    assert device.may_take(QUEUE)

    network.enforcement._management.broken = False
    cycle.run()

    assert not device.may_take(QUEUE)
    assert len(network.events(device, EventKind.INACTIVE)) == 1


def test_one_that_could_not_be_let_in_is_let_in_by_the_next_cycle(network):
    device, cycle = network.device(DeviceState.INACTIVE), network.cycle()
    device.answer = lambda device, probe: device.send(device.report(probe, consumers=0))
    network.enforcement._management = Failing(network.broker.node.api)
    cycle.run()
    assert network.state(device) is DeviceState.ACTIVE
    assert not device.may_take(QUEUE)

    network.enforcement._management.broken = False
    cycle.run()

    assert device.may_take(QUEUE)


def test_a_cycle_that_cannot_reach_the_broker_judges_nobody(network):
    device = network.device()
    cycle = network.cycle()
    cycle._url = network.broker.url("platform", "a wrong password")
    device.answer = well

    cycle.run()

    assert network.cycles()[0].ended_at is None
    assert network.health(device).condition is Condition.UNKNOWN
