"""What a device says of itself, and that nothing of the machine keeps it from saying the rest."""

import threading
import time
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from broker_config.regions import Region
from broker_config.tiers import Tier
from models.measurement import Gpu, Maker
from tasks.deployment import Deployment
from tasks.probe import GpuReading
from worker import gauge, readings
from worker.engine import Engine
from worker.gauge import Gauge
from worker.gpu_health import Figures, gpu_readings, read_gpus, silent
from worker.ladder import Ladder
from worker.processor import ProcessorUse, hottest, processor_temperature
from worker.provider import ProviderState, ProviderTrials, Trial, run_trial
from worker.readings import Machine, disk_left, take_readings

Sensor = namedtuple("Sensor", "label current")
NVIDIA = Gpu(maker=Maker.NVIDIA, name="RTX", memory_bytes=1, driver="580.1")
AMD = Gpu(maker=Maker.AMD, name="Radeon", memory_bytes=1)


def soon(seconds=1.0):
    return time.monotonic() + seconds


@pytest.fixture
def released():
    """Ends what hangs, when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def one_after_the_other(reads):
    left = list(reads)

    def read():
        return left.pop(0)()

    return read


def failing():
    raise OSError("no such sensor")


def test_a_figure_is_what_was_read():
    figure = Gauge("x", lambda: 7, lambda last: -1)
    figure.begin()

    assert figure.value(soon()) == 7


def test_a_figure_that_fails_is_left_out_and_the_next_reading_counts(caplog):
    answers = [failing, failing, lambda: 7]
    figure = Gauge("x", one_after_the_other(answers), lambda last: -1)

    told = [(figure.begin(), figure.value(soon()))[1] for _ in range(3)]

    assert told == [-1, -1, 7]
    assert [record.msg for record in caplog.records] == ["reading.failed"]


def test_a_figure_that_hangs_is_not_waited_for_nor_read_twice_at_once(released):
    begun = []
    figure = Gauge("x", lambda: (begun.append(1), released.wait())[1], lambda last: -1)

    for _ in range(3):
        figure.begin()
        assert figure.value(soon(0.01)) == -1

    assert len(begun) == 1


def test_a_figure_that_is_slow_stands_as_it_was_and_counts_as_lost_after_a_while(released, monkeypatch):
    answers = [lambda: 7, released.wait]
    figure = Gauge("x", one_after_the_other(answers), lambda last: ("lost", last))
    figure.begin()
    figure.value(soon())

    figure.begin()
    assert figure.value(soon(0.01)) == 7
    monkeypatch.setattr(gauge, "PATIENCE", 0.0)

    assert figure.value(soon(0.01)) == ("lost", 7)


def test_a_figure_that_is_good_for_long_is_not_read_again():
    read = []
    figure = Gauge("x", lambda: read.append(1) or len(read), lambda last: -1, every=600.0)

    told = [(figure.begin(), figure.value(soon()))[1] for _ in range(3)]

    assert told == [1, 1, 1]


@pytest.mark.parametrize(
    ("sensors", "degrees"),
    [
        ({}, None),
        ({"acpitz": [Sensor("", 30.0)], "nvme": [Sensor("Composite", 60.0)]}, None),
        ({"coretemp": [Sensor("Package id 0", 50.0), Sensor("Core 0", 55.0), Sensor("Core 1", 48.0)]}, 55.0),
        ({"coretemp": [Sensor("Package id 0", 50.0), Sensor("Package id 1", 62.0)]}, 62.0),
        ({"k10temp": [Sensor("Tctl", 90.0), Sensor("Tdie", 63.0)]}, 63.0),
        ({"k10temp": [Sensor("Tctl", 63.0)]}, 63.0),
        ({"cpu_thermal": [Sensor("", 41.5)]}, 41.5),
        ({"coretemp": [Sensor("Core 0", 65261.0), Sensor("Core 1", 48.0)]}, 48.0),
    ],
)
def test_the_processors_temperature_is_that_of_its_hottest_part(sensors, degrees):
    assert hottest(sensors) == degrees


def test_this_machines_processor_can_be_read():
    use = ProcessorUse()
    sum(number * number for number in range(300_000))

    assert 0.0 < use.read() <= 1.0
    assert processor_temperature() is None or -100 <= processor_temperature() <= 300


def test_figures_of_a_driver_belong_to_its_gpus_in_their_order():
    broken = NVIDIA.model_copy(update={"name": "T4", "fault": "Its driver does not work"})

    told = gpu_readings((NVIDIA, broken, AMD), [Figures(61.0, 0), Figures(None, None)])

    assert [(gpu.name, gpu.temperature, gpu.memory_errors, gpu.fault) for gpu in told] == [
        ("RTX", 61.0, 0, None),
        ("T4", None, None, "Its driver does not work"),
        ("Radeon", None, None, None),
    ]


def test_gpus_whose_driver_hangs_are_told_as_broken():
    (told,) = silent((GpuReading(name="RTX", driver="580.1", temperature=61.0),))

    assert told == GpuReading(name="RTX", driver="580.1", fault="Its driver does not answer")
    assert silent(None) == ()


def test_this_machines_gpus_can_be_read():
    for gpu in read_gpus(psutil.virtual_memory().total):
        assert gpu.name


def test_the_disk_is_that_of_the_folder_or_of_where_it_will_be(tmp_path):
    there, missing = disk_left(tmp_path), disk_left(tmp_path / "not" / "yet")

    assert there == pytest.approx(missing, rel=0.1)
    assert there > 0


def engine(provider, not_loaded=None):
    return Trial(engine=Engine(flavour="onnxruntime-gpu", version="1", provider=provider, not_loaded=not_loaded))


def test_a_provider_that_loads_no_more_is_a_fault_and_one_that_does_again_is_none():
    trials = ProviderTrials()
    cuda = engine("CUDAExecutionProvider")

    told = [
        trials.judge(trial) for trial in (cuda, engine("CPUExecutionProvider", "no driver"), Trial(fault="x"), cuda)
    ]

    assert told == [
        ProviderState("CUDAExecutionProvider"),
        ProviderState("CUDAExecutionProvider", "no driver"),
        ProviderState("CUDAExecutionProvider", "x"),
        ProviderState("CUDAExecutionProvider"),
    ]


def test_a_provider_that_never_loaded_here_is_not_missed():
    trials = ProviderTrials()

    told = [trials.judge(engine("CPUExecutionProvider", "no driver")) for _ in range(2)]

    assert told == [ProviderState("CPUExecutionProvider")] * 2


@pytest.mark.process
def test_the_engine_of_this_machine_loads_in_a_process_of_its_own():
    trial = run_trial()

    assert trial.fault is None
    assert trial.engine.provider.endswith("ExecutionProvider")


@pytest.mark.process
def test_an_engine_that_crashes_or_hangs_is_a_fault_and_harms_nobody(monkeypatch, tmp_path):
    (tmp_path / "onnxruntime.py").write_text("import os; os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "crashed while it loaded" in run_trial().fault

    (tmp_path / "onnxruntime.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr("worker.provider._SECONDS", 3.0)
    assert "did not load" in run_trial().fault


class Observed:
    """A device with two models, of which one is broken."""

    paused = None

    def __init__(self) -> None:
        self.broken = {"all-minilm-l6-v2": "a file\nis short"}
        models = ("all-minilm-l6-v2", "phi3-3.8b")
        self.ladders = [Ladder(Region.ASIA, Deployment(model=model, tier=Tier.TINY)) for model in models]

    def load(self, ladder):
        return 0.3 if ladder is self.ladders[1] else 0.1


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.provider = Gauge("provider", lambda: ProviderState("CPUExecutionProvider"), lambda last: ProviderState())
    return machine


def test_readings_tell_of_the_machine_and_of_the_work(machine):
    told = take_readings(Observed(), machine)

    assert (told.models, told.broken) == (("phi3-3.8b",), {"all-minilm-l6-v2": "a file is short"})
    assert (told.load, told.provider, told.provider_fault) == (0.3, "CPUExecutionProvider", None)
    assert (told.running, told.held, told.unsettled, told.consumers) == (0, 0, 0, 0)
    assert 0 < told.memory_left < psutil.virtual_memory().total
    assert told.disk_left > 0


def test_whatever_hangs_or_fails_the_rest_is_told_in_time(machine, released, monkeypatch):
    monkeypatch.setattr(readings, "TAKEN_WITHIN", 0.3)
    machine.gpus = Gauge("gpus", released.wait, silent)
    machine.temperature = Gauge("temperature", failing, lambda _: None)
    machine.disk = Gauge("disk", released.wait, lambda last: last or 0)
    began = time.monotonic()

    told = take_readings(Observed(), machine)

    assert time.monotonic() - began < 1.0
    assert (told.gpus, told.temperature, told.disk_left) == ((), None, 0)
    assert told.memory_left > 0


def test_a_trial_that_is_not_over_yet_leaves_the_provider_out(machine, released, monkeypatch):
    monkeypatch.setattr(readings, "TAKEN_WITHIN", 0.05)
    monkeypatch.setattr(readings, "_FIRST_TRIAL_WITHIN", 0.1)
    machine.provider = Gauge("provider", released.wait, lambda last: last or ProviderState())

    assert take_readings(Observed(), machine).provider == ""


def test_models_are_kept_where_the_disk_is_looked_at(monkeypatch, tmp_path):
    looked_at = []
    monkeypatch.setattr(readings, "disk_left", lambda folder: looked_at.append(folder) or 1)
    monkeypatch.setenv("STARAI_HOME", str(tmp_path))

    machine = Machine()
    machine.disk.begin()
    machine.disk.value(soon())

    assert looked_at == [Path(tmp_path) / "models"]
