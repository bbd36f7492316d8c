"""What a local network keeps of its devices and their models from one start to the next."""

import pytest

from broker_config.regions import Region
from models.calibration import Calibration
from models.catalogue import load_catalogue
from ops.local_device import keys_of, local_devices
from ops.local_registry import calibrations, enrol, host, know, record
from registry.database import migrate, open_engine, session
from registry.deployments import deployments_of
from registry.device_keys import current_key
from registry.measurements import latest_measurement
from registry.speed import relative_speed
from tasks.admission import measurement_row
from tests.models.machines import A100, RTX_3060, machine

MODEL = load_catalogue().get("all-minilm-l6-v2")
MEASURED = {MODEL.name: Calibration(slots=4, tasks_per_second=80.5)}
TWO = local_devices(2, [Region.ASIA])


@pytest.fixture
def engine(tmp_path):
    opened = open_engine(f"sqlite:///{tmp_path / 'registry.db'}")
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def hosting(engine):
    """A registry in which two devices host a model that was measured with two threads."""
    enrol(engine, TWO)
    host(engine, TWO, [MODEL], MEASURED, threads=2)
    return engine


def test_devices_that_were_never_measured_are_told(engine):
    assert enrol(engine, TWO) == ["local-asia-1", "local-asia-2"]


def test_each_device_is_known_by_its_own_keys(engine, tmp_path):
    enrol(engine, TWO)
    keys = keys_of(TWO, tmp_path)

    know(engine, keys)
    know(engine, keys_of(TWO, tmp_path))

    with session(engine) as registry:
        known = {device.id: current_key(registry, device.id).signing for device in TWO}
    assert known == {device: own.public_signing for device, own in keys.items()}
    assert len(set(known.values())) == 2


def test_a_device_whose_folder_was_removed_is_known_by_its_new_keys(engine, tmp_path):
    enrol(engine, TWO)
    know(engine, keys_of(TWO, tmp_path / "old"))
    new = keys_of(TWO, tmp_path / "new")

    know(engine, new)

    with session(engine) as registry:
        assert current_key(registry, TWO[0].id).signing == new[TWO[0].id].public_signing


def test_a_measurement_is_recorded_for_each_device(engine):
    record(engine, enrol(engine, TWO), lambda: machine(gib=16, gb_per_s=30))

    with session(engine) as registry:
        kept = latest_measurement(registry, TWO[1].id)
    assert kept is not None
    assert (kept.memory_bytes, kept.gpu_name, kept.gb_per_s_one_thread) == (16 * 2**30, None, 20)
    assert enrol(engine, TWO) == []


def test_the_registry_keeps_the_first_gpu_and_the_speed_of_one_thread():
    row = measurement_row("d", machine(gpus=(RTX_3060, A100), provider="CUDAExecutionProvider", gb_per_s=45))

    assert (row.gpu_name, row.gpu_memory_bytes, row.gpu_driver) == (RTX_3060.name, 12 * 2**30, "580.82")
    assert (row.provider, row.gflops_one_thread, row.gb_per_s_one_thread) == ("CUDAExecutionProvider", 100, 30)


def test_each_device_hosts_the_model_as_it_was_measured(hosting):
    with session(hosting) as registry:
        found = [deployments_of(registry, device.id) for device in TWO]

    assert [[(d.model, d.slots, d.threads, d.tasks_per_second) for d in each] for each in found] == [
        [(MODEL.name, 4, 2, 80.5)]
    ] * 2


def test_the_next_start_finds_what_the_last_one_measured(hosting):
    enrol(hosting, TWO)

    assert calibrations(hosting, TWO, threads=2) == MEASURED
    assert calibrations(hosting, TWO[:1], threads=2) == MEASURED


def test_with_another_number_of_threads_a_model_is_measured_anew(hosting):
    assert calibrations(hosting, TWO, threads=1) == {}


def test_a_model_that_no_device_hosts_any_more_is_measured_anew(hosting):
    host(hosting, TWO, [], {}, threads=2)

    assert calibrations(hosting, TWO, threads=2) == {}


def test_a_model_that_cannot_be_measured_has_one_slot_and_the_speed_of_the_median(engine):
    enrol(engine, TWO)

    (told,) = host(engine, TWO, [MODEL], {}, threads=2)

    assert (told.slots, told.speed) == (1, 0.5)
    assert calibrations(engine, TWO, threads=2) == {}


def test_devices_that_are_all_alike_are_all_as_fast_as_the_median(engine):
    enrol(engine, TWO)

    (told,) = host(engine, TWO, [MODEL], MEASURED, threads=2)

    assert (told.model, told.tier, told.slots, told.speed) == (MODEL.name, MODEL.tier, 4, 0.5)


def test_a_device_among_slower_ones_is_told_that_it_is_faster(engine):
    three = local_devices(3, [Region.ASIA])
    enrol(engine, three)
    host(engine, three[1:], [MODEL], {MODEL.name: Calibration(slots=1, tasks_per_second=40.0)}, threads=1)

    (told,) = host(engine, three[:1], [MODEL], MEASURED, threads=2)

    assert told.speed == relative_speed(80.5, [40.0, 40.0, 80.5]) == pytest.approx(0.80, abs=0.01)
