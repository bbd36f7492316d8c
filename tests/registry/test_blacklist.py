"""The blacklist in the registry, what stands behind a model, and what new devices inherit, in both databases."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.blacklist import (
    Login,
    enter,
    entries,
    entry_for_hardware,
    has_open_entry,
    keep_login,
    lift,
    open_devices,
    open_entry,
    overdue,
)
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.events import events_of
from registry.failures import count_failure, locked_health
from registry.health_tables import DeviceHealth
from registry.inheritance import begin_standing, is_free
from registry.pool import sole_models
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import EventKind
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
SETTINGS = StandingSettings()
HARDWARE = "ab" * 32


def fail(registry, at=NOW):
    count_failure(registry, "device-1", EventKind.HOARDED, "it held tasks", at, settings=SETTINGS)


def another(registry, name="device-2", hardware=HARDWARE, state=None):
    device = enrol_device(registry, name, "ada", Region.ASIA)
    device.hardware_id = hardware
    if state:
        set_state(registry, name, state, "a test")
    registry.flush()
    return device


def test_an_entry_has_whose_it_was_and_what_led_to_it(registry):
    find_device(registry, "device-1").hardware_id = HARDWARE
    fail(registry)

    entry = enter(registry, "device-1", "it went on", LATER, NOW)

    assert (entry.hardware_id, entry.until, entry.reason) == (HARDWARE, LATER, "it went on")
    [evidence] = json.loads(entry.evidence)
    assert (evidence["kind"], evidence["reason"], evidence["cost"]) == ("hoarded", "it held tasks", 0.30)
    assert find_device(registry, "device-1").state is DeviceState.BLACKLISTED
    assert open_devices(registry) == {"device-1"}


def test_entering_again_changes_the_reason_and_the_time_and_nothing_else(registry):
    first = enter(registry, "device-1", "one", LATER, NOW)
    keep_login(registry, first, Login("hash", "algorithm"))

    again = enter(registry, "device-1", "two", None, LATER)
    keep_login(registry, again, Login("another", "algorithm"))

    assert (again.id, again.reason, again.until, again.since) == (first.id, "two", None, NOW)
    assert again.password_hash == "hash"
    assert len(entries(registry)) == 1


def test_lifted_it_is_inactive_on_probation_and_its_login_is_not_kept(registry):
    fail(registry)
    entry = enter(registry, "device-1", "it went on", LATER, NOW)
    keep_login(registry, entry, Login("hash", "algorithm"))
    assert overdue(registry, NOW) == []
    assert overdue(registry, LATER) == ["device-1"]

    login = lift(registry, "device-1", "its time is over", SETTINGS.probation, LATER)

    assert login == Login("hash", "algorithm")
    assert "hash'" not in repr(login)
    assert (entry.password_hash, entry.lifted) == (None, "its time is over")
    health = registry.get_one(DeviceHealth, "device-1")
    assert (health.trust, health.trusted_at, health.sound) == (SETTINGS.probation, LATER, False)
    assert find_device(registry, "device-1").state is DeviceState.INACTIVE
    assert events_of(registry, "device-1")[-1].kind is EventKind.LIFTED
    assert (entries(registry), len(entries(registry, lifted=True))) == ([], 1)


def test_what_was_forgiven_by_being_lifted_is_no_evidence_the_next_time(registry):
    fail(registry)
    enter(registry, "device-1", "one", LATER, NOW)
    lift(registry, "device-1", "by the operator", SETTINGS.probation, LATER)
    fail(registry, LATER)

    assert len(json.loads(enter(registry, "device-1", "two", None, LATER).evidence)) == 1


def test_only_who_is_on_the_list_is_lifted(registry):
    with pytest.raises(RegistryError, match="not on the blacklist"):
        lift(registry, "device-1", "why not", SETTINGS.probation, NOW)


def test_nothing_but_lifting_leads_off_the_blacklist(registry):
    enter(registry, "device-1", "it lied", None, NOW)
    with pytest.raises(RegistryError, match="starai blacklist remove device-1"):
        set_state(registry, "device-1", DeviceState.INACTIVE, "by mistake")


def test_a_model_is_in_the_hands_of_a_device_alone_while_no_other_active_one_hosts_it(registry):
    for name in ("device-1", "device-2", "device-3"):
        enrol_device(registry, name, "ada", Region.ASIA)
    deploy(registry, "device-1", [Planned("one", Tier.TINY), Planned("two", Tier.TINY)])
    deploy(registry, "device-2", [Planned("one", Tier.TINY)])
    deploy(registry, "device-3", [Planned("two", Tier.TINY)])
    set_state(registry, "device-2", DeviceState.ACTIVE, "a test")

    assert sole_models(registry, "device-1") == ["two"]  # device-3 does not serve
    assert sole_models(registry, "device-2") == ["one"]


def test_hardware_and_owner_of_an_open_entry_are_known(registry):
    device = another(registry)
    other = another(registry, "device-3")
    assert entry_for_hardware(registry, HARDWARE) is None

    enter(registry, device.id, "it lied", LATER, NOW)
    enter(registry, other.id, "it lied", None, NOW)

    assert entry_for_hardware(registry, HARDWARE).until is None  # the one that lasts longest
    assert entry_for_hardware(registry, None) is None
    assert has_open_entry(registry, device.owner_id)
    for name in (device.id, other.id):
        lift(registry, name, "enough", SETTINGS.probation, NOW)
    assert entry_for_hardware(registry, HARDWARE) is None
    assert not has_open_entry(registry, device.owner_id)
    assert open_entry(registry, device.id) is None


def test_a_new_device_on_known_hardware_has_the_least_trust_there_and_what_keeps_it_out(registry):
    for name, cost in (("device-2", 0.2), ("device-3", 0.6)):
        another(registry, name)
        count_failure(registry, name, EventKind.OVERRAN, "x", NOW, settings=SETTINGS, cost=cost)
    kin = locked_health(registry, "device-3", NOW)
    kin.sound, kin.quarantined_until, kin.quarantines = False, LATER, 2
    registry.flush()

    new = another(registry, "device-4")
    begin_standing(registry, new, NOW, SETTINGS)

    health = registry.get_one(DeviceHealth, "device-4")
    assert (health.trust, health.sound, health.quarantines) == (pytest.approx(0.4), False, 2)
    assert not is_free(registry, "device-4", NOW)
    assert is_free(registry, "device-4", LATER)


def test_a_new_device_on_new_hardware_begins_with_full_trust(registry):
    fail(registry)
    begin_standing(registry, another(registry, hardware="cd" * 32), NOW, SETTINGS)
    begin_standing(registry, another(registry, "device-3", hardware=None), NOW, SETTINGS)

    assert registry.get(DeviceHealth, "device-2") is registry.get(DeviceHealth, "device-3") is None
    assert is_free(registry, "device-2", NOW)


def test_a_new_device_of_an_owner_who_has_one_blacklisted_is_on_probation(registry):
    enter(registry, "device-1", "it lied", None, NOW)
    begin_standing(registry, another(registry), NOW, SETTINGS)

    health = registry.get_one(DeviceHealth, "device-2")
    assert (health.trust, health.sound) == (SETTINGS.probation, False)
