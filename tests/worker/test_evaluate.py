import importlib.util
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from click.testing import CliRunner

from models import genai
from models.catalogue import load_catalogue
from models.measurement import Gpu, MachineClass, Maker, Measurement, Speed
from worker.benchmark.build import GRAPH, build
from worker.benchmark.run import benchmark
from worker.cli import main
from worker.cpu import cpu_model_in
from worker.engine import Engine, LanguageEngine, find_engine, find_language_engine
from worker.hardware import Hardware, find_hardware
from worker.measure import Evaluation, measurement_of

HARDWARE = Hardware(
    operating_system="Debian GNU/Linux 13 (trixie), x86_64",
    cpu_model="AMD Ryzen 9 9950X",
    physical_cores=16,
    threads=32,
    memory_bytes=64 * 2**30,
    memory_available_bytes=5 * 2**30,
    gpus=(
        Gpu(maker=Maker.NVIDIA, name="NVIDIA GeForce RTX 3060", memory_bytes=12 * 2**30, driver="580.82"),
        Gpu(maker=Maker.NVIDIA, name="NVIDIA [other]", memory_bytes=0, fault="GPU is lost"),
    ),
)
EVALUATION = Evaluation(
    hardware=HARDWARE,
    engine=Engine(flavour="onnxruntime-gpu", version="1.31.1", provider="CUDAExecutionProvider"),
    language=LanguageEngine(
        flavour="onnxruntime-genai-cuda", version="0.18.0", providers=("CUDAExecutionProvider", "CPUExecutionProvider")
    ),
    speeds=(Speed(threads=1, gflops=228, gb_per_s=32.1), Speed(threads=16, gflops=2100, gb_per_s=61.5)),
)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command says of this very machine, whose owner has no models of their own."""
    home = {"STARAI_HOME": str(tmp_path_factory.mktemp("home"))}
    result = CliRunner().invoke(main, ["evaluate", "--json"], env=home)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def run_evaluate(code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after some code."""
    program = f"{code}\nfrom worker.cli import main\nmain()"
    command = [sys.executable, "-c", program, "evaluate", "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_the_measurement_comes_back_from_json(evaluated: dict[str, Any]) -> None:
    measurement = Measurement.model_validate(evaluated["measurement"])
    assert [speed.model_dump() for speed in measurement.speeds] == evaluated["speeds"]
    assert measurement.machine_class is MachineClass.PERSONAL


def test_one_thread_and_all_cores_are_measured(evaluated: dict[str, Any]) -> None:
    assert [speed["threads"] for speed in evaluated["speeds"]] == sorted({1, evaluated["hardware"]["physical_cores"]})


def test_the_speeds_are_those_of_a_machine_of_this_world(evaluated: dict[str, Any]) -> None:
    for speed in evaluated["speeds"]:
        # 6 GHz, two 512-bit units, 16 lanes, multiply and add: no thread does more.
        assert 1 < speed["gflops"] < speed["threads"] * 6 * 2 * 16 * 2
        assert 0.5 < speed["gb_per_s"] < 2000


def test_all_cores_are_not_much_slower_than_one_thread(evaluated: dict[str, Any]) -> None:
    one, all_cores = evaluated["speeds"][0], evaluated["speeds"][-1]
    # With neighbours on the machine all cores together vary threefold.
    assert one["gflops"] <= 5 * all_cores["gflops"]
    assert one["gb_per_s"] <= 5 * all_cores["gb_per_s"]


def test_numpy_finds_the_same_order_of_magnitude(evaluated: dict[str, Any]) -> None:
    weights, seconds = np.ones(2**26, np.float32), []
    for _ in range(5):
        begin = time.perf_counter()
        weights.max()
        seconds.append(time.perf_counter() - begin)
    assert (
        weights.nbytes / min(seconds) / 1e10 < evaluated["speeds"][0]["gb_per_s"] < weights.nbytes / min(seconds) / 1e8
    )


@pytest.mark.process
def test_one_thread_is_one_thread_and_progress_ends_at_one() -> None:
    done: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    (speed,) = benchmark([1], done.append)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert speed.threads == 1
    assert cpu < 1.2 * wall
    assert done == sorted(done)
    assert done[-1] == 1.0


_BUSY = "print(flush=True)\nwhile True: pass"


@pytest.mark.process
def test_a_machine_whose_owner_is_busy_is_not_measured_by_what_is_left_of_it() -> None:
    (quiet,) = benchmark([1])
    with ExitStack() as programs:
        for _ in range(3 * (os.cpu_count() or 1)):
            program = programs.enter_context(subprocess.Popen([sys.executable, "-c", _BUSY], stdout=subprocess.PIPE))
            programs.callback(program.kill)
            assert program.stdout is not None
            program.stdout.readline()
        (busy,) = benchmark([1])
    # By the clock it would be a quarter; and two threads of one core, and programs in one memory, slow each other.
    assert busy.gflops > 0.4 * quiet.gflops
    assert busy.gb_per_s > 0.4 * quiet.gb_per_s


def test_the_shipped_graph_is_what_the_script_builds() -> None:
    assert build().SerializeToString() == GRAPH.read_bytes()


def test_the_hardware_is_this_machines(evaluated: dict[str, Any]) -> None:
    hardware = evaluated["hardware"]
    assert hardware["threads"] == os.cpu_count()
    assert 1 <= hardware["physical_cores"] <= hardware["threads"]
    assert hardware["memory_bytes"] == psutil.virtual_memory().total
    assert 0 < hardware["memory_available_bytes"] < hardware["memory_bytes"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own files")
def test_linux_tells_the_same_of_processor_and_gpus() -> None:
    hardware = find_hardware()
    assert hardware.cpu_model in Path("/proc/cpuinfo").read_text() or hardware.cpu_model in os.uname().machine
    assert bool(hardware.gpus) == Path("/proc/driver/nvidia/version").exists()


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        ("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9B45: x\n", "AMD EPYC 9B45: x"),
        ("processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\n", None),
        ("model name\t: \n", None),
        ("", None),
    ],
)
def test_the_processors_name_is_read_where_there_is_one(cpuinfo: str, model: str | None) -> None:
    assert cpu_model_in(cpuinfo) == model


def test_the_engine_is_the_installed_one() -> None:
    engine = find_engine()
    assert importlib.util.find_spec("onnxruntime") is not None
    assert engine.flavour.startswith("onnxruntime")
    assert engine.version[0].isdigit()
    if engine.flavour == "onnxruntime":
        assert (engine.provider, engine.not_loaded) == ("CPUExecutionProvider", None)


def test_the_engine_for_language_models_is_the_installed_one() -> None:
    found = find_language_engine(find_engine())
    assert found.flavour.startswith("onnxruntime-genai")
    assert found.version.startswith("0.18.")
    assert found.providers[-1] == "CPUExecutionProvider"
    assert found.missing is None


def test_another_release_of_the_engine_for_language_models_is_told_and_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(genai.metadata, "version", lambda name: "0.13.1")
    assert find_language_engine(EVALUATION.engine) == LanguageEngine(
        missing="onnxruntime-genai 0.13.1 cannot be used: 0.18 is needed. Install it: pip install 'starai[llm]' beside "
        "starai[cpu], or 'starai[llm-cuda]' beside starai[gpu]; there is none beside starai[directml]"
    )


def test_two_engines_for_language_models_over_one_another_are_told_and_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {"onnxruntime": ["onnxruntime"], "onnxruntime_genai": ["onnxruntime-genai", "onnxruntime-genai-cuda"]}
    monkeypatch.setattr(genai.metadata, "packages_distributions", lambda: both)
    found = find_language_engine(EVALUATION.engine)
    assert "pip uninstall onnxruntime-genai onnxruntime-genai-cuda" in (found.missing or "")


def test_of_an_engine_for_gpus_what_does_not_load_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime_genai.is_cuda_available", lambda: True)
    processor = EVALUATION.engine.model_copy(update={"provider": "CPUExecutionProvider"})
    assert find_language_engine(EVALUATION.engine).providers == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert find_language_engine(processor).providers == ("CPUExecutionProvider",)


def test_a_measurement_has_what_was_found_and_what_its_owner_says() -> None:
    measurement = measurement_of(EVALUATION, MachineClass.SERVER)
    assert measurement.gpus == HARDWARE.gpus
    assert (measurement.provider, measurement.machine_class) == ("CUDAExecutionProvider", MachineClass.SERVER)
    assert measurement.generates_on == EVALUATION.language.providers
    assert measurement.speeds == EVALUATION.speeds


def test_every_model_of_the_catalogue_is_judged(evaluated: dict[str, Any]) -> None:
    verdicts = evaluated["plan"]["verdicts"]
    assert {verdict["model"] for verdict in verdicts} == {entry.name for entry in load_catalogue()}
    assert all(verdict["reason"].endswith(".") for verdict in verdicts)


def test_the_owner_says_what_is_lent() -> None:
    result = CliRunner().invoke(main, ["evaluate", "--json", "--class", "server", "--memory-share", "0.001"])
    data = json.loads(result.stdout)
    assert data["share"] == {"memory": 0.001, "threads": max(1, data["hardware"]["physical_cores"] - 1)}
    assert data["measurement"]["machine_class"] == "server"
    assert data["plan"]["placements"] == []


@pytest.mark.parametrize("wrong", [["--class", "toaster"], ["--memory-share", "0"], ["--memory-share", "50"]])
def test_a_share_that_cannot_be_is_refused_before_anything_is_measured(wrong: list[str]) -> None:
    result = CliRunner().invoke(main, ["evaluate", *wrong])
    assert result.exit_code == 2
    assert wrong[0] in result.stderr


def test_two_flavours_of_the_engine_are_an_error_that_says_the_fix(tmp_path: Path) -> None:
    second = tmp_path / "onnxruntime_gpu-1.31.1.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.31.1\n")
    (second / "top_level.txt").write_text("onnxruntime\n")
    result = run_evaluate(PYTHONPATH=os.pathsep.join((str(tmp_path), *sys.path)))
    assert result.returncode == 1
    assert result.stdout == ""
    assert "pip uninstall" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="bounds the memory as Linux does")
def test_too_little_memory_is_an_error_that_says_so() -> None:
    bound = """
import resource, psutil, worker.measure
worker.measure.find_engine()
now = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (now + 150 * 2**20, -1))
"""
    result = run_evaluate(bound)
    assert (result.returncode, result.stdout) == (1, "")
    assert "300 MB of memory" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_says_how_long_and_how_it_ends() -> None:
    result = CliRunner().invoke(main, ["evaluate", "--help"])
    assert result.exit_code == 0
    assert "6 seconds" in result.stdout
    assert "Exits with 1" in result.stdout
