"""Failures that count against a device, in both databases."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from registry.database import session
from registry.events import events_of
from registry.failures import count_failure, locked_health
from registry.health_state import Check
from registry.health_tables import DeviceHealth
from registry.standing_rule import COSTS, LIE, Due, StandingSettings
from registry.tables import EventKind
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SETTINGS = StandingSettings()


def fail(registry, kind=EventKind.HOARDED, at=NOW, **more):
    return count_failure(registry, "device-1", kind, "it did wrong", at, settings=SETTINGS, **more)


def test_a_failure_costs_trust_and_is_in_the_history_with_what_was_left(registry):
    assert fail(registry, cycle=7, check=Check.GPU, figures={"celsius": 99}) is Due.NOTHING

    [event] = events_of(registry, "device-1")
    assert (event.kind, event.at, event.cost, event.trust) == (EventKind.HOARDED, NOW, 0.30, pytest.approx(0.70))
    assert (event.cycle, event.failed_check, json.loads(event.figures)) == (7, Check.GPU, {"celsius": 99})
    assert event.owner_id is not None
    health = registry.get_one(DeviceHealth, "device-1")
    assert (health.trust, health.trusted_at) == (event.trust, NOW)


@pytest.mark.parametrize("kind", COSTS)
def test_every_kind_has_its_cost(registry, kind):
    fail(registry, kind)
    assert registry.get_one(DeviceHealth, "device-1").trust == pytest.approx(1 - COSTS[kind])


def test_a_failed_check_of_identity_is_a_lie(registry):
    fail(registry, EventKind.CHECK_FAILED, check=Check.IDENTITY)
    assert registry.get_one(DeviceHealth, "device-1").trust == pytest.approx(1 - LIE)


def test_time_forgives_before_the_next_failure_takes(registry):
    fail(registry, cost=0.5)
    fail(registry, cost=0.5, at=NOW + timedelta(days=1))
    assert registry.get_one(DeviceHealth, "device-1").trust == pytest.approx(0.375)


def test_a_failure_from_before_the_last_one_makes_nothing_forgiven_twice(registry):
    fail(registry, cost=0.5)
    fail(registry, cost=0.0, at=NOW - timedelta(days=1))
    assert registry.get_one(DeviceHealth, "device-1").trusted_at == NOW


def test_what_is_due_gets_worse(registry):
    assert [fail(registry) for _ in range(5)] == [
        Due.NOTHING,
        Due.NOTHING,
        Due.QUARANTINE,
        Due.QUARANTINE,
        Due.BLACKLIST,
    ]


def test_a_device_that_is_not_known_cannot_fail(registry):
    with pytest.raises(RegistryError):
        count_failure(registry, "device-9", EventKind.SILENT, "?", NOW, settings=SETTINGS)


def test_failures_that_are_counted_at_once_all_count(engine, registry, at_once):
    registry.commit()
    code = (
        "for _ in range(10):\n"
        "    with session(engine) as opened:\n"
        "        count_failure(opened, 'device-1', EventKind.SILENT, 'x', datetime(2026, 5, 1, tzinfo=UTC), settings=S)"
    )
    imports = (
        "from datetime import UTC, datetime\nfrom registry.failures import count_failure\n"
        "from registry.tables import EventKind\nfrom registry.standing_rule import StandingSettings\n"
        "S = StandingSettings()"
    )

    at_once(code, imports, processes=3)

    with session(engine) as opened:
        health = locked_health(opened, "device-1", NOW)
        assert health.trust == pytest.approx(0.95**30, rel=0.02)
        assert len(events_of(opened, "device-1")) == 30
