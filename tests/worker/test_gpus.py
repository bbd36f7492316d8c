"""GPUs as their makers' tools tell them; tests/worker/recorded/README.md says where the recordings are from."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pynvml
import pytest

from models.measurement import Gpu, Maker
from worker import gpu_apple, gpu_windows
from worker.gpu_amd import amd_gpu, amd_gpus, product_name
from worker.gpu_nvidia import nvidia_gpus
from worker.gpus import without_twins

RECORDED = Path(__file__).parent / "recorded"
GIB = 2**30
NAMES = (RECORDED / "amdgpu.ids").read_text("utf-8")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text("utf-8"))


def write_card(drm: Path, card: str, files: Mapping[str, str]) -> None:
    """Lay a card's files out as the kernel does."""
    (drm / card / "device").mkdir(parents=True)
    for name, text in files.items():
        (drm / card / "device" / name).write_text(f"{text}\n")


def test_amds_gpu_is_read_from_the_kernel(tmp_path: Path) -> None:
    write_card(tmp_path / "drm", "card1", recorded("intel_sysfs.json"))
    write_card(tmp_path / "drm", "card0", recorded("amd_vega_sysfs.json"))
    (tmp_path / "drm" / "card0-DP-1").mkdir()
    (tmp_path / "version").write_text("6.7.8\n")
    (gpu,) = amd_gpus(tmp_path / "drm", RECORDED / "amdgpu.ids", tmp_path / "version")
    assert gpu == Gpu(maker=Maker.AMD, name="AMD Radeon RX Vega", memory_bytes=8573157376, driver="6.7.8")


def test_without_such_a_folder_there_is_no_gpu_of_amds(tmp_path: Path) -> None:
    assert amd_gpus(tmp_path / "none") == ()


def test_amds_gpu_without_its_driver_has_a_fault() -> None:
    files = recorded("amd_vega_sysfs.json") | {"uevent": "DRIVER=vfio-pci", "mem_info_vram_total": ""}
    gpu = amd_gpu(files, NAMES, "Linux 6.1")
    assert gpu is not None
    assert gpu.name == "AMD Radeon RX Vega"
    assert gpu.fault == "The kernel's driver amdgpu does not run it"


def test_a_name_that_the_card_tells_goes_before_the_tables() -> None:
    gpu = amd_gpu(recorded("amd_vega_sysfs.json") | {"product_name": "Some card"}, NAMES, "")
    assert gpu is not None
    assert gpu.name == "Some card"


@pytest.mark.parametrize(
    ("device", "revision", "name"),
    [("0x73df", "0xc1", "AMD Radeon RX 6700 XT"), ("0x73df", "0xee", "AMD GPU 0x73df"), ("", "", "AMD GPU ")],
)
def test_amds_names_follow_from_two_numbers(device: str, revision: str, name: str) -> None:
    assert product_name(NAMES, device, revision) == name


def test_an_apple_gpu_shares_the_machines_memory() -> None:
    (gpu,) = gpu_apple.gpus_in((RECORDED / "mac_m1.json").read_text(), 16 * GIB, "15.1")
    assert gpu == Gpu(maker=Maker.APPLE, name="Apple M1", memory_bytes=16 * GIB, driver="macOS 15.1")


def test_a_gpu_of_an_older_mac_has_memory_of_its_own() -> None:
    (gpu,) = gpu_apple.gpus_in((RECORDED / "mac_intel.json").read_text(), 8 * GIB, "10.13")
    assert (gpu.maker, gpu.name, gpu.memory_bytes) == (Maker.INTEL, "Intel Iris Graphics 6100", 1536 * 2**20)


@pytest.mark.parametrize("report", ["", "[]", "{}", '{"SPDisplaysDataType": 1}'])
def test_what_is_no_report_is_refused(report: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        gpu_apple.gpus_in(report, GIB, "15")


def test_windows_memory_is_read_beyond_four_gib() -> None:
    gpus = gpu_windows.gpus_in(recorded("windows_arc_and_radeon.json"))
    assert [(gpu.name, gpu.memory_bytes // GIB) for gpu in gpus] == [
        ("Intel(R) Arc(TM) Pro B60 Graphics", 24),
        ("AMD Radeon RX 6800 XT", 16),
    ]


def test_windows_tells_maker_and_driver_and_a_display_without_memory_is_none() -> None:
    gpus = gpu_windows.gpus_in(recorded("windows_radeons.json"))
    assert [gpu.maker for gpu in gpus] == [Maker.AMD, Maker.AMD]
    assert gpus[1].driver == "31.0.24019.1006"


def test_windows_drivers_may_write_their_memory_as_bytes() -> None:
    adapter = {"DriverDesc": "x", "HardwareInformation.qwMemorySize": (12 * GIB).to_bytes(8, "little")}
    (gpu,) = gpu_windows.gpus_in([adapter])
    assert (gpu.memory_bytes, gpu.maker) == (12 * GIB, Maker.OTHER)


def test_nvidias_gpus_are_not_counted_twice() -> None:
    nvidia = Gpu(maker=Maker.NVIDIA, name="a", memory_bytes=1)
    twin = Gpu(maker=Maker.NVIDIA, name="A", memory_bytes=2)
    amd = Gpu(maker=Maker.AMD, name="b", memory_bytes=3)
    assert without_twins((nvidia,), (twin, amd)) == (nvidia, amd)
    assert without_twins((), (twin, amd)) == (twin, amd)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "RM has detected an NVML/RM version mismatch"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "Driver Not Loaded"),
    ],
)
def test_an_nvidia_driver_that_does_not_begin_is_a_fault_with_its_reason(
    code: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise pynvml.NVMLError(code)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    (gpu,) = nvidia_gpus()
    assert gpu.maker is Maker.NVIDIA
    assert gpu.fault is not None
    assert reason in gpu.fault


_TELL = "from worker.gpu_nvidia import nvidia_gpus; print(*[g.fault for g in nvidia_gpus()])"


@pytest.mark.skipif(sys.platform != "linux", reason="puts a library in the place of another as Linux finds them")
def test_a_broken_library_of_nvidias_is_a_fault(tmp_path: Path) -> None:
    with Path("/proc/self/maps").open() as maps:
        libc = next(line.split()[-1] for line in maps if "libc.so" in line or "libc-" in line)
    shutil.copy(libc, tmp_path / "libnvidia-ml.so.1")  # a library, but none of NVIDIA's functions are in it
    variables = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    command = [sys.executable, "-c", _TELL]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, env=variables, cwd=root, capture_output=True, text=True, check=False)
    assert "Its driver does not work: Function Not Found" in done.stdout, done.stderr
