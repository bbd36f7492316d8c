"""What a health cycle reads of the fleet and writes to it, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.columns import now
from registry.database import reading, session
from registry.deployments import Planned, deploy
from registry.device_keys import add_key, rotate
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.events import events_of
from registry.fleet_facts import fleet_facts
from registry.greetings import come, go
from registry.health import (
    Failure,
    Previous,
    add_missing,
    begin_cycle,
    end_cycle,
    greeted,
    may_change,
    present,
    previous_cycle,
    release,
    set_held,
    write_failures,
    write_health,
)
from registry.health_state import Check, Condition
from registry.health_tables import DeviceHealth
from registry.measurements import record_measurement
from registry.owners import add_owner
from registry.states import set_state
from registry.tables import EventKind, Measurement
from starai.errors import RegistryError

AT = now()
MINILM, PHI = Planned("all-minilm-l6-v2", Tier.TINY, slots=4), Planned("phi3-3.8b", Tier.MEDIUM, slots=2)
_MEASURED = {"cpu_model": "x", "physical_cores": 1, "threads": 1, "memory_bytes": 1, "provider": "CUDA"}


@pytest.fixture
def fleet(registry: Session) -> Session:
    """Devices 1 to 4, of which the first is active, the third offline and the fourth blacklisted."""
    for number in (2, 3, 4):
        enrol_device(registry, f"device-{number}", "ada", Region.EUROPE)
    states = {1: DeviceState.ACTIVE, 3: DeviceState.OFFLINE, 4: DeviceState.BLACKLISTED}
    for number, state in states.items():
        set_state(registry, f"device-{number}", state, "a test")
    add_missing(registry, AT)
    return registry


def test_every_device_has_one_row_of_health_however_often_they_are_made(fleet):
    add_missing(fleet, AT)

    rows = fleet.exec(select(DeviceHealth)).all()
    assert len(rows) == 4
    assert {(row.condition, row.trust, row.sound, row.held) for row in rows} == {(Condition.UNKNOWN, 1.0, True, False)}


def test_only_those_are_asked_that_are_active_or_inactive(fleet):
    found = fleet_facts(fleet)

    assert {device: facts.state for device, facts in found.items()} == {
        "device-1": DeviceState.ACTIVE,
        "device-2": DeviceState.INACTIVE,
    }
    assert set(fleet_facts(fleet, only=["device-2", "device-3"])) == {"device-2"}


def test_facts_are_the_key_in_use_all_models_and_the_last_measurement(fleet):
    add_key(fleet, "device-1", b"o" * 32, b"s" * 32)
    rotate(fleet, "device-1", b"o" * 32, b"n" * 32, b"s" * 32)
    deploy(fleet, "device-1", [MINILM, PHI])
    for days, gpu in ((2, "old"), (1, "new"), (3, "older")):
        figures = _MEASURED | {"gflops_one_thread": 1.0, "gb_per_s_one_thread": 1.0}
        at = AT - timedelta(days=days)
        record_measurement(fleet, Measurement(device_id="device-1", at=at, gpu_name=gpu, gpu_driver="5", **figures))

    facts, bare = (fleet_facts(fleet)[device] for device in ("device-1", "device-2"))

    assert (facts.signing, facts.models, facts.slots) == (b"n" * 32, {MINILM.model, PHI.model}, 6)
    assert (facts.gpu_name, facts.gpu_driver, facts.provider) == ("new", "5", "CUDA")
    assert (bare.signing, bare.models, bare.slots, bare.provider) == (None, frozenset(), 0, None)


def test_a_fleet_is_read_by_as_many_queries_whatever_its_size(fleet):
    statements = []
    event.listen(fleet.get_bind(), "before_cursor_execute", lambda *call: statements.append(call[2]))
    fleet_facts(fleet)
    for number in range(50):
        enrol_device(fleet, f"more-{number}", "ada", Region.EUROPE)
    add_missing(fleet, AT)
    before = len(statements)
    assert len(fleet_facts(fleet)) == 52

    assert len(statements) - before == 3


def test_what_a_cycle_writes_is_its_own_and_what_is_others_stays(fleet):
    known = present(fleet, ["device-1"])["device-1"]
    set_held(fleet, "device-1", True, AT)
    changed = replace(
        known.health,
        cycle=3,
        checked_at=AT,
        condition=Condition.FAILED,
        failed_check=Check.GPU,
        reason="a reason",
        failures=2,
        trust=0.25,
        trusted_at=AT,
        round_trip=0.5,
        figures="{}",
        paused="on battery",
    )
    write_health(fleet, [changed])

    after = present(fleet, ["device-1", "device-3"])["device-1"]
    assert after.health == replace(changed, held=True)
    assert not after.health.may_serve(AT)
    assert (after.state, after.owner_id) == (known.state, known.owner_id)


def test_failures_are_in_the_history_with_all_that_they_were_found_by(fleet):
    failure = Failure("device-1", 1, AT, EventKind.CHECK_FAILED, "hot", 3, Check.CPU, "{}", 0.1, 0.9)
    write_failures(fleet, [failure, replace(failure, kind=EventKind.SILENT, failed_check=None, figures=None)])

    checked, silent = (event for event in events_of(fleet, "device-1") if event.cost)
    assert (checked.cycle, checked.failed_check, checked.cost, checked.trust) == (3, Check.CPU, 0.1, 0.9)
    assert (silent.kind, silent.failed_check) == (EventKind.SILENT, None)


def test_the_previous_cycle_is_the_last_that_ended(registry):
    assert previous_cycle(registry) is None
    first = begin_cycle(registry, AT)
    begin_cycle(registry, AT + timedelta(seconds=60))
    assert previous_cycle(registry) is None

    end_cycle(registry, first, AT, {Condition.WELL: 5, Condition.SILENT: 2}, "the platform was away")

    previous = previous_cycle(registry)
    assert (previous.began_at, previous.was_outage, previous.outage_at) == (AT, True, AT)
    later = AT + timedelta(seconds=120)
    end_cycle(registry, begin_cycle(registry, later), later, {}, None)
    assert previous_cycle(registry) == Previous(later, was_outage=False, outage_at=AT)


def test_those_are_due_that_came_since_they_were_checked_and_may_serve(fleet):
    assert greeted(fleet, AT) == []
    for device in ("device-1", "device-2", "device-3"):
        come(fleet, device, AT)
    assert greeted(fleet, AT) == ["device-2", "device-3"]

    set_held(fleet, "device-3", True, AT)
    assert greeted(fleet, AT) == ["device-2"]
    checked = present(fleet, ["device-2"])["device-2"].health
    write_health(fleet, [replace(checked, checked_at=AT + timedelta(seconds=1))])
    assert greeted(fleet, AT) == []


def test_one_that_comes_and_goes_is_where_it_says(fleet):
    assert come(fleet, "device-3", AT) == (DeviceState.INACTIVE, True)
    assert come(fleet, "device-1", AT) == (DeviceState.ACTIVE, True)
    assert go(fleet, "device-1", "its owner ended it", AT) == (DeviceState.OFFLINE, True)
    assert go(fleet, "device-4", "its owner ended it", AT) == (DeviceState.BLACKLISTED, True)
    for way in (lambda: come(fleet, "nobody", AT), lambda: go(fleet, "nobody", "", AT)):
        with pytest.raises(RegistryError, match="no device 'nobody'"):
            way()


def test_what_keeps_a_device_out_of_work_is_lifted_together(fleet):
    set_held(fleet, "device-1", True, AT)
    assert may_change(fleet, ["device-1", "device-2", "device-3"]) == ["device-1", "device-2"]
    assert may_change(fleet, ["device-1", "device-2"], serving_at=AT) == ["device-2"]

    release(fleet, "device-1", AT)
    assert may_change(fleet, ["device-1"], serving_at=AT) == ["device-1"]


def test_while_a_cycle_writes_nobody_s_trust_is_lost(engine, fleet, at_once):
    fleet.commit()
    code = """
import time
from registry.health import present, write_health
from dataclasses import replace
for _ in range(20):
    with session(engine) as registry:
        health = present(registry, ["device-1"])["device-1"].health
        write_health(registry, [replace(health, failures=health.failures + 1)])
print("done")
"""
    at_once(code)

    with reading(engine) as registry:
        assert registry.get_one(DeviceHealth, "device-1").failures == 80


def test_rows_are_made_by_several_at_once(engine, at_once):
    with session(engine) as registry:
        add_owner(registry, "ada")
        for number in range(20):
            enrol_device(registry, f"d{number}", "ada", Region.ASIA)
    imports = "from registry.columns import now\nfrom registry.health import add_missing"
    at_once("with session(engine) as registry:\n    add_missing(registry, now())", imports)

    with reading(engine) as registry:
        assert len(registry.exec(select(DeviceHealth)).all()) == 20
