"""The invariants of home and abroad on a real broker, with a fleet of eighteen devices and bursts in every region."""

import random
import time

import pytest

from broker_config import names
from broker_config.regions import Region
from tests.worker.broker_fleet import BrokerFleet, LightDevice
from tests.worker.fleet import overtaking
from worker.budget import BURST, RATE

#: Seconds that a task may wait in one region while later ones are served elsewhere.
PATIENCE = 10.0
HOMES = (Region.ASIA, Region.EUROPE, Region.NORTH_AMERICA)
ELSEWHERE = [region for region in Region if region not in HOMES]


@pytest.fixture
def chosen():
    return random.Random(1)


def burst(fleet, region, count, chosen):
    for _ in range(count):
        fleet.submit(region, chosen.uniform(0.05, 0.2))


@pytest.fixture
def fleet(broker):
    """Eighteen devices of one or two slots in three regions, all of them subscribed."""
    devices = [LightDevice(HOMES[number % 3], slots=1 + number % 2) for number in range(18)]
    with BrokerFleet(broker.url(), devices) as fleet:
        fleet.run(20, until=lambda: fleet.is_ready)
        yield fleet


def test_eighteen_devices_keep_every_invariant_under_bursts_in_every_region(broker, fleet, chosen):
    begun = time.monotonic()
    fleet.run(1)

    for region in Region:  # to devices that listen everywhere
        burst(fleet, region, 15, chosen)
    fleet.run(1.5)
    for region in ELSEWHERE:  # to devices that are saturated at home, for longer than anyone is to wait
        burst(fleet, region, 25, chosen)
    while time.monotonic() < begun + 16:
        for region in HOMES:
            burst(fleet, region, max(60 - fleet.waiting(region), 0), chosen)
        fleet.run(0.25)
    fleet.run(20, until=lambda: all(work.ended for work in fleet.history))
    seconds, now = time.monotonic() - begun, time.monotonic()

    assert all(work.ended for work in fleet.history)
    assert all(device.most <= device.slots for device in fleet.devices)
    assert max(device.longest_held for device in fleet.devices) <= 1.0
    assert not [work for work in fleet.history if overtaking(work, fleet.history, PATIENCE, now)]
    assert all(device.changes <= BURST + RATE * seconds for device in fleet.devices)
    assert broker.depth(names.FAILED) == 0
