from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from broker_config.errors import InvalidName
from broker_config.regions import Region
from broker_config.tiers import Tier
from broker_config.topology import HostedModel
from registry.database import session
from registry.deployments import Planned, deploy, deployments_of, hosted, hosted_models
from registry.devices import enrol_device, enrolled_devices, find_device, new_device_id
from registry.measurements import latest_measurement, record_measurement
from registry.owners import add_owner
from registry.tables import Device, Measurement, Owner
from starai.errors import RegistryError

PHI = Planned("phi3-3.8b", Tier.MEDIUM, slots=2)
MINILM = Planned("all-minilm-l6-v2", Tier.TINY, slots=4)


def measurement(device: str = "device-1", **more: Any) -> Measurement:
    figures: dict[str, Any] = {
        "device_id": device,
        "cpu_model": "AMD EPYC 9B45",
        "physical_cores": 2,
        "threads": 4,
        "memory_bytes": 64 * 2**30,
        "provider": "CPUExecutionProvider",
        "gflops_one_thread": 228.5,
        "gb_per_s_one_thread": 32.1,
    }
    return Measurement(**(figures | more))


def test_an_owner_is_added_once(registry: Session) -> None:
    assert add_owner(registry, "ada").id == add_owner(registry, "ada").id
    assert len(registry.exec(select(Owner)).all()) == 1


def test_a_device_is_found_as_it_was_enrolled(registry: Session, engine: Engine) -> None:
    registry.commit()
    with session(engine) as later:
        device = find_device(later, "device-1")
    assert (device.id, device.region) == ("device-1", Region.EUROPE)
    assert datetime.now(UTC) - device.enrolled_at < timedelta(minutes=1)


def test_a_device_of_an_unknown_owner_is_refused(registry: Session) -> None:
    with pytest.raises(RegistryError, match="no owner 'eve'"):
        enrol_device(registry, "device-2", "eve", Region.ASIA)


def test_a_device_that_moved_is_the_same_device(registry: Session) -> None:
    enrol_device(registry, "device-1", "ada", Region.ASIA)
    assert [(device.id, device.region) for device in enrolled_devices(registry)] == [("device-1", Region.ASIA)]


def test_a_device_of_another_owner_cannot_be_taken_over(registry: Session) -> None:
    add_owner(registry, "eve")
    with pytest.raises(RegistryError, match="another owner"):
        enrol_device(registry, "device-1", "eve", Region.EUROPE)


def test_a_device_whose_id_cannot_stand_on_the_wire_is_refused(registry: Session) -> None:
    with pytest.raises(InvalidName):
        enrol_device(registry, "device.#", "ada", Region.EUROPE)


def test_a_device_id_with_a_dot_is_refused_rather_than_changed(registry: Session) -> None:
    with pytest.raises(InvalidName):
        enrol_device(registry, "device.2", "ada", Region.EUROPE)


def test_new_device_ids_differ_and_can_be_enrolled(registry: Session) -> None:
    ids = {new_device_id() for _ in range(100)}
    assert len(ids) == 100
    for device in ids:
        assert enrol_device(registry, device, "ada", Region.AFRICA).id == device


def test_a_device_that_measured_nothing_has_no_measurement(registry: Session) -> None:
    assert latest_measurement(registry, "device-1") is None


def test_the_latest_measurement_counts_whatever_the_order_of_arrival(registry: Session) -> None:
    now = datetime.now(UTC)
    record_measurement(registry, measurement(at=now, gflops_one_thread=2.0))
    record_measurement(registry, measurement(at=now - timedelta(days=1), gflops_one_thread=1.0))
    latest = latest_measurement(registry, "device-1")
    assert latest is not None
    assert latest.gflops_one_thread == 2.0


def test_memory_beyond_32_bits_is_kept(registry: Session) -> None:
    recorded = record_measurement(registry, measurement(memory_bytes=2**40, gpu_memory_bytes=80 * 2**30))
    registry.expire_all()
    assert (recorded.memory_bytes, recorded.gpu_memory_bytes) == (2**40, 80 * 2**30)


def test_a_measurement_of_an_unknown_device_is_refused(registry: Session) -> None:
    with pytest.raises(RegistryError, match="no device 'device-9'"):
        record_measurement(registry, measurement("device-9"))


def test_a_time_comes_back_in_utc(registry: Session) -> None:
    there = datetime(2026, 1, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
    recorded = record_measurement(registry, measurement(at=there))
    registry.expire_all()
    assert recorded.at == there
    assert recorded.at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(RegistryError, match="no time zone"), session(engine) as registry:
        registry.add(Device(id="device-1", owner_id=1, region=Region.ASIA, enrolled_at=naive))


def test_a_plan_replaces_what_the_device_hosted(registry: Session) -> None:
    deploy(registry, "device-1", [PHI, MINILM])
    deploy(registry, "device-1", [MINILM])
    assert [(d.model, d.tier, d.slots) for d in deployments_of(registry, "device-1")] == [
        ("all-minilm-l6-v2", Tier.TINY, 4)
    ]


def test_an_unknown_device_hosts_nothing_and_can_be_given_nothing(registry: Session) -> None:
    with pytest.raises(RegistryError, match="no device"):
        deploy(registry, "device-9", [PHI])
    with pytest.raises(RegistryError, match="no device"):
        deployments_of(registry, "device-9")


def test_where_a_model_runs_and_how_much_it_may_take_there_is_kept(registry: Session) -> None:
    deploy(registry, "device-1", [replace(PHI, gpu=1, memory_bytes=70 * 10**9), MINILM])
    kept = {found.model: (found.gpu, found.memory_bytes) for found in deployments_of(registry, "device-1")}
    assert kept == {PHI.model: (1, 70 * 10**9), MINILM.model: (None, None)}


@pytest.mark.parametrize("plan", [[Planned("phi3-3.8b", Tier.MEDIUM, slots=0)], [PHI, PHI]])
def test_a_plan_without_slots_or_with_a_model_twice_is_refused_whole(engine: Engine, plan: list[Planned]) -> None:
    with session(engine) as registry:
        add_owner(registry, "ada")
        enrol_device(registry, "device-1", "ada", Region.EUROPE)
        deploy(registry, "device-1", [MINILM])
    with pytest.raises(RegistryError), session(engine) as registry:
        deploy(registry, "device-1", plan)
    with session(engine) as registry:
        assert hosted_models(registry) == ["all-minilm-l6-v2"]


def test_a_model_is_hosted_once_however_many_devices_host_it(registry: Session) -> None:
    enrol_device(registry, "device-2", "ada", Region.ASIA)
    deploy(registry, "device-1", [PHI, MINILM])
    deploy(registry, "device-2", [MINILM])
    assert hosted_models(registry) == ["all-minilm-l6-v2", "phi3-3.8b"]
    assert hosted(registry) == [HostedModel("all-minilm-l6-v2", Tier.TINY), HostedModel("phi3-3.8b", Tier.MEDIUM)]


def test_a_model_that_the_last_device_gave_up_is_hosted_no_more(registry: Session) -> None:
    deploy(registry, "device-1", [PHI])
    deploy(registry, "device-1", [])
    assert hosted_models(registry) == []


def test_the_whole_measurement_is_kept_as_it_came(registry: Session) -> None:
    details = '{"gpus":[{"name":"RTX 3060"},{"name":"RTX 3090"}],"note":"' + "x" * 20_000 + '"}'
    recorded = record_measurement(registry, measurement(details=details))
    registry.expire_all()
    assert recorded.details == details
