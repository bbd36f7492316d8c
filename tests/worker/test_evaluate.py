import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from rich.console import Console

from models.catalogue import load_catalogue
from registry import tables
from worker.benchmark.build import GRAPH, build
from worker.benchmark.run import Speed, benchmark
from worker.cli import main
from worker.engine import Engine, find_engine
from worker.evaluate import as_table
from worker.fit import fits
from worker.hardware import Gpu, Hardware, cpu_model_in, find_hardware
from worker.measure import Evaluation, Measurement, measurement_of

HARDWARE = Hardware(
    operating_system="Debian GNU/Linux 13 (trixie), x86_64",
    cpu_model="AMD Ryzen 9 9950X",
    physical_cores=16,
    threads=32,
    memory_bytes=64 * 2**30,
    memory_available_bytes=5 * 2**30,
    gpus=(
        Gpu(name="NVIDIA GeForce RTX 3060", memory_bytes=12 * 2**30, driver="580.82"),
        Gpu(name="NVIDIA [other]", memory_bytes=2**30, driver="580.82"),
    ),
)
EVALUATION = Evaluation(
    hardware=HARDWARE,
    engine=Engine(flavour="onnxruntime-gpu", version="1.31.1", provider="CUDAExecutionProvider"),
    speeds=(Speed(threads=1, gflops=228, gb_per_s=32.1), Speed(threads=16, gflops=2100, gb_per_s=61.5)),
)


@pytest.fixture(scope="module")
def evaluated() -> dict[str, Any]:
    """What the command says of this very machine."""
    result = CliRunner().invoke(main, ["evaluate", "--json"])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def run_evaluate(code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after some code."""
    program = f"{code}\nfrom worker.cli import main\nmain()"
    command = [sys.executable, "-c", program, "evaluate", "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_the_measurement_has_exactly_the_registrys_figures(evaluated: dict[str, Any]) -> None:
    figures = tables.Measurement.model_fields.keys() - {"id", "device_id", "at"}
    assert evaluated["measurement"].keys() == Measurement.model_fields.keys() == figures


def test_the_measurement_fits_into_the_registrys_types(evaluated: dict[str, Any]) -> None:
    for name, field in Measurement.model_fields.items():
        assert tables.Measurement.model_fields[name].annotation == field.annotation, name


def test_the_measurement_comes_back_from_json(evaluated: dict[str, Any]) -> None:
    measurement = Measurement.model_validate(evaluated["measurement"])
    assert measurement.gflops_one_thread == evaluated["speeds"][0]["gflops"]
    assert measurement.gb_per_s_one_thread == evaluated["speeds"][0]["gb_per_s"]


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


def test_the_first_gpu_is_the_measurements() -> None:
    measurement = measurement_of(EVALUATION)
    assert (measurement.gpu_name, measurement.gpu_memory_bytes) == ("NVIDIA GeForce RTX 3060", 12 * 2**30)
    assert (measurement.gpu_driver, measurement.provider) == ("580.82", "CUDAExecutionProvider")
    assert measurement.gflops_one_thread == 228


def test_a_model_fits_when_its_weights_and_a_conversation_do() -> None:
    phi = load_catalogue().get("phi3-3.8b")
    (exactly,) = fits([phi], available_bytes=phi.weight_bytes + 4096 * phi.kv_bytes_per_token)
    (short,) = fits([phi], available_bytes=exactly.needed_bytes - 1)
    assert exactly.fits_memory
    assert not short.fits_memory


def test_every_model_of_the_catalogue_is_judged(evaluated: dict[str, Any]) -> None:
    assert {model["model"] for model in evaluated["models"]} == {entry.name for entry in load_catalogue()}
    needs = [model["needed_bytes"] for model in evaluated["models"]]
    assert needs == sorted(needs)


def test_a_person_reads_names_units_and_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    Console(markup=False, width=120).print(as_table(EVALUATION, fits(load_catalogue(), 5 * 2**30)))
    shown = capsys.readouterr().out
    for text in ("AMD Ryzen 9 9950X", "12.0 GiB", "NVIDIA [other]", "2100 GFLOP/s, 61.5 GB/s", "llama3-70b"):
        assert text in shown
    assert "does not fit" in shown


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
