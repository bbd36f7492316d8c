"""How the fleet is, for those who operate it, on either kind of database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import reading, session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.health_metrics import health_figures
from registry.health_state import Check, Condition
from registry.health_tables import BlacklistEntry, DeviceHealth, HealthCycle
from registry.health_view import (
    CyclesOverview,
    cycles_overview,
    device_health,
    fleet_health,
    last_cycles,
    summary_of,
    unserved_models,
)
from registry.measurements import record_measurement
from registry.owners import add_owner, find_owner
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import Measurement
from starai.errors import RegistryError

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULE = StandingSettings()


def enrol(registry: Session, device: str, state: DeviceState = DeviceState.ACTIVE, **health: object) -> None:
    enrol_device(registry, device, "ada", Region.ASIA)
    set_state(registry, device, state, "tested")
    registry.add(DeviceHealth(device_id=device, **{"trusted_at": NOW, **health}))
    registry.flush()


def cycle(registry: Session, minute: float, outage: str | None = None, ended: bool = True) -> None:
    began = NOW + timedelta(minutes=minute)
    end = began + timedelta(seconds=2) if ended else None
    registry.add(HealthCycle(began_at=began, ended_at=end, probed=5, well=3, failed=1, silent=1, outage=outage))
    registry.flush()


def blacklist(registry: Session, device: str, reason: str, **more: object) -> None:
    owner = find_owner(registry, "ada").id
    registry.add(BlacklistEntry(device_id=device, owner_id=owner, reason=reason, since=NOW, **more))
    registry.flush()


def test_a_device_that_no_cycle_has_seen_is_unknown_and_fully_trusted(registry: Session) -> None:
    (found,) = fleet_health(registry, NOW, RULE)

    assert (found.device.id, found.owner, found.trust) == ("device-1", "ada", 1.0)
    assert found.health.condition is Condition.UNKNOWN
    assert (found.health.sound, found.health.held, found.quarantined, found.blacklisted) == (True, False, False, None)


def test_trust_is_that_of_now(registry: Session) -> None:
    enrol(registry, "device-2", trust=0.5, trusted_at=NOW - DAY)

    (_, found) = fleet_health(registry, NOW, RULE)

    assert found.trust == pytest.approx(0.75)
    assert device_health(registry, "device-2", NOW + DAY, RULE).trust == pytest.approx(0.875)


def test_a_quarantine_is_over_when_its_time_is(registry: Session) -> None:
    enrol(registry, "device-2", quarantined_until=NOW)

    times = (NOW - timedelta(seconds=1), NOW)
    assert [device_health(registry, "device-2", at, RULE).quarantined for at in times] == [True, False]


def test_a_blacklisted_device_comes_with_the_newest_entry_that_was_not_lifted(registry: Session) -> None:
    enrol(registry, "device-2", DeviceState.BLACKLISTED)
    enrol(registry, "device-3")
    blacklist(registry, "device-2", "before", lifted_at=NOW)
    blacklist(registry, "device-2", "now", until=NOW + DAY)
    blacklist(registry, "device-3", "long ago", lifted_at=NOW)

    entries = [found.blacklisted for found in fleet_health(registry, NOW, RULE)]

    assert [entry.reason if entry else None for entry in entries] == [None, "now", None]
    assert device_health(registry, "device-2", NOW, RULE).blacklisted == entries[1]
    assert device_health(registry, "device-3", NOW, RULE).blacklisted is None


def test_one_device_comes_with_what_it_said_of_itself_and_lists_come_without(registry: Session, engine: Engine) -> None:
    enrol(registry, "device-2", figures="{}")
    registry.commit()

    with reading(engine) as fresh:
        listed = fleet_health(fresh, NOW, RULE)[1]
        assert "figures" not in listed.health.__dict__
    with reading(engine) as fresh:
        assert device_health(fresh, "device-2", NOW, RULE).health.figures == "{}"


def test_a_device_comes_with_the_execution_provider_that_it_measured_last(registry: Session) -> None:
    figures = {"physical_cores": 6, "threads": 6, "memory_bytes": 2**31, "gflops_one_thread": 5.0}
    for provider, day in (("Wasm", 2), ("CUDA", 1)):
        at = NOW + timedelta(days=day)
        measured = Measurement(cpu_model="x", provider=provider, gb_per_s_one_thread=8.0, at=at, **figures)
        measured.device_id = "device-1"
        record_measurement(registry, measured)
    enrol(registry, "device-2")

    assert [found.provider for found in fleet_health(registry, NOW, RULE)] == ["Wasm", None]
    assert device_health(registry, "device-1", NOW, RULE).provider == "Wasm"
    assert device_health(registry, "device-2", NOW, RULE).provider is None


def test_there_is_no_health_of_a_device_that_nobody_enrolled(registry: Session) -> None:
    with pytest.raises(RegistryError, match="no device 'device-9'"):
        device_health(registry, "device-9", NOW, RULE)


def test_a_fleet_of_any_size_takes_two_queries(engine: Engine) -> None:
    statements: list[str] = []
    with session(engine) as registry:
        add_owner(registry, "ada")
        for number in range(20):
            enrol(registry, f"device-{number}", condition=Condition.WELL)
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

    with reading(engine) as registry:
        assert len(fleet_health(registry, NOW, RULE)) == 20

    assert sum(statement.lstrip().startswith("SELECT") for statement in statements) == 2


def test_the_fleet_is_summed_up_and_who_is_away_is_counted_by_the_state_alone(registry: Session) -> None:
    enrol(registry, "device-2", condition=Condition.WELL, sound=False, paused="on battery")
    enrol(registry, "device-3", DeviceState.INACTIVE, condition=Condition.SILENT, held=True)
    enrol(registry, "device-4", DeviceState.INACTIVE, quarantined_until=NOW + DAY, condition=Condition.FAILED)
    enrol(registry, "device-5", DeviceState.OFFLINE, condition=Condition.SILENT, held=True, sound=False)
    enrol(registry, "device-6", DeviceState.BLACKLISTED, condition=Condition.FAILED, sound=False)

    found = summary_of(fleet_health(registry, NOW, RULE))

    assert found.states == {
        DeviceState.ACTIVE: 1,
        DeviceState.INACTIVE: 3,
        DeviceState.OFFLINE: 1,
        DeviceState.BLACKLISTED: 1,
    }
    assert found.conditions == dict.fromkeys(Condition, 1)
    assert (found.demoted, found.quarantined, found.held, found.paused, found.devices) == (1, 1, 1, 1, 6)


def test_before_the_first_cycle_has_ended_there_is_none(registry: Session) -> None:
    cycle(registry, 0, ended=False)

    assert cycles_overview(registry) == CyclesOverview()
    assert [each.ended_at for each in last_cycles(registry, 5)] == [None]


def test_the_last_cycle_is_the_newest_that_ended(registry: Session) -> None:
    for minute in (0, 1):
        cycle(registry, minute)
    cycle(registry, 2, ended=False)

    found = cycles_overview(registry)

    assert found.last is not None
    assert (found.last.began_at, found.outage_since) == (NOW + timedelta(minutes=1), None)
    assert [each.began_at.minute for each in last_cycles(registry, 2)] == [2, 1]


def test_an_outage_began_with_the_first_of_those_in_a_row(registry: Session) -> None:
    cycle(registry, 0, outage="another one")
    cycle(registry, 1)
    cycle(registry, 2, outage="half of them are silent")
    cycle(registry, 3, ended=False)
    cycle(registry, 4, outage="half of them are silent")

    assert cycles_overview(registry).outage_since == NOW + timedelta(minutes=2)
    cycle(registry, 5)
    assert cycles_overview(registry).outage_since is None


def test_a_network_may_begin_with_an_outage(registry: Session) -> None:
    cycle(registry, 0, outage="all of them are silent")

    assert cycles_overview(registry).outage_since == NOW


def test_a_model_that_no_active_device_hosts_is_not_served(registry: Session) -> None:
    enrol(registry, "device-2")
    deploy(registry, "device-1", [Planned("phi3-3.8b", Tier.MEDIUM), Planned("all-minilm-l6-v2", Tier.TINY)])
    deploy(registry, "device-2", [Planned("all-minilm-l6-v2", Tier.TINY)])

    assert unserved_models(registry) == ["phi3-3.8b"]
    set_state(registry, "device-1", DeviceState.ACTIVE, "tested")
    assert unserved_models(registry) == []


def test_metrics_count_conditions_and_leave_blacklisted_devices_out(registry: Session) -> None:
    enrol(registry, "device-2", condition=Condition.FAILED, failed_check=Check.GPU)
    enrol(registry, "device-3", DeviceState.BLACKLISTED, condition=Condition.FAILED, trust=0.1)

    found = health_figures(registry, NOW, RULE)

    assert found.conditions == {
        Condition.UNKNOWN: 1,
        Condition.WELL: 0,
        Condition.FAILED: 1,
        Condition.SILENT: 0,
    }
    assert set(found.below.values()) == {0}


def test_metrics_count_who_is_trusted_less_than_each_threshold_now(registry: Session) -> None:
    for number, trust in enumerate((0.84, 0.6, 0.44, 0.19)):
        enrol(registry, f"device-{number + 2}", trust=trust)
    enrol(registry, "device-6", trust=0.6, trusted_at=NOW - 2 * DAY)  # 0.9 by now

    found = health_figures(registry, NOW, RULE)

    assert found.below == {"sound_from": 4, "demoted_below": 3, "quarantined_below": 2, "blacklisted_below": 1}


def test_metrics_have_the_age_of_the_last_cycle_and_whether_it_was_an_outage(registry: Session) -> None:
    assert (health_figures(registry, NOW, RULE).cycle_age, health_figures(registry, NOW, RULE).outage) == (None, False)
    cycle(registry, -2)
    cycle(registry, -1, outage="half of them are silent")

    found = health_figures(registry, NOW, RULE)

    assert (found.cycle_age, found.outage) == (60.0, True)
