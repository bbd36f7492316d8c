"""How a device stands, as it is told, in both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.blacklist import enter
from registry.device_state import DeviceState
from registry.events import record_event
from registry.failures import count_failure
from registry.health_state import Condition
from registry.standing import standing_of
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import EventKind
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SETTINGS = StandingSettings()


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_device_of_which_nothing_is_known_is_fully_trusted(registry):
    found = standing_of(registry, "device-1", NOW, SETTINGS)

    assert (found.owner, found.device.state, found.since) == ("ada", DeviceState.INACTIVE, None)
    assert (found.trust, found.health.sound, found.health.condition) == (1.0, True, Condition.UNKNOWN)
    assert found.events == ()


def test_trust_is_what_it_has_become_since(registry):
    count_failure(registry, "device-1", EventKind.HOARDED, "x", NOW, settings=SETTINGS, cost=0.5)
    assert standing_of(registry, "device-1", NOW, SETTINGS).trust == pytest.approx(0.5)
    assert standing_of(registry, "device-1", at(24 * 60), SETTINGS).trust == pytest.approx(0.75)


def test_since_when_is_when_it_came_into_its_state_last(registry):
    set_state(registry, "device-1", DeviceState.ACTIVE, "well", at(0))
    set_state(registry, "device-1", DeviceState.INACTIVE, "silent", at(1))
    set_state(registry, "device-1", DeviceState.ACTIVE, "well", at(2))
    assert standing_of(registry, "device-1", at(3), SETTINGS).since == at(2)


def test_until_when_it_is_shut_out(registry):
    enter(registry, "device-1", "it lied", at(60), NOW)
    assert standing_of(registry, "device-1", NOW, SETTINGS).blacklisted_until == at(60)


def test_events_that_cost_trust_are_told_before_others_and_all_the_newest_first(registry):
    count_failure(registry, "device-1", EventKind.SILENT, "old", at(0), settings=SETTINGS)
    for minute in range(1, 9):
        record_event(registry, "device-1", EventKind.ACTIVE, "well", at(minute))
    count_failure(registry, "device-1", EventKind.SILENT, "new", at(9), settings=SETTINGS)

    found = standing_of(registry, "device-1", at(10), SETTINGS, events=4).events

    assert [event.at for event in found] == [at(9), at(8), at(7), at(0)]


def test_nobody_else_has_a_standing(registry):
    with pytest.raises(RegistryError):
        standing_of(registry, "platform", NOW, SETTINGS)
