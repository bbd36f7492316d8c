"""What this machine is made of, as the operating system and NVIDIA's driver tell it."""

import logging
import platform
import subprocess
import sys
from pathlib import Path

import psutil
import pynvml
from pydantic import BaseModel, ConfigDict

log = logging.getLogger(__name__)

#: Makers whose GPUs are looked for. That no other is found means nothing yet.
GPU_MAKERS = ("nvidia",)


class Gpu(BaseModel):
    """A graphics processor: its name, its own memory in bytes, its driver's version."""

    model_config = ConfigDict(frozen=True)

    name: str
    memory_bytes: int
    driver: str


class Hardware(BaseModel):
    """What was found; memory in bytes, of which ``memory_available_bytes`` is free for programs just now."""

    model_config = ConfigDict(frozen=True)

    operating_system: str
    cpu_model: str
    physical_cores: int
    threads: int
    memory_bytes: int
    memory_available_bytes: int
    gpus: tuple[Gpu, ...]
    gpu_makers_looked_for: tuple[str, ...] = GPU_MAKERS


def find_hardware() -> Hardware:
    """Look at this machine."""
    threads = psutil.cpu_count() or 1
    memory = psutil.virtual_memory()
    return Hardware(
        operating_system=_operating_system(),
        cpu_model=_cpu_model(),
        # Unknown on some virtual machines: each thread then counts as a core.
        physical_cores=psutil.cpu_count(logical=False) or threads,
        threads=threads,
        memory_bytes=memory.total,
        memory_available_bytes=memory.available,
        gpus=_nvidia_gpus(),
    )


def cpu_model_in(cpuinfo: str) -> str | None:
    """Return the processor's name from the text of Linux's ``/proc/cpuinfo``; ARM processors have none there."""
    fields = (line.partition(":") for line in cpuinfo.splitlines())
    return next((value.strip() for key, _, value in fields if key.strip() == "model name" and value.strip()), None)


def _cpu_model() -> str:
    """Return the name by which the processor was sold, or at least its architecture."""
    named: str | None
    if sys.platform == "linux":
        named = cpu_model_in(Path("/proc/cpuinfo").read_text("utf-8", "replace"))
    elif sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        named = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    else:
        named = _windows_cpu_model()
    return named or platform.processor() or platform.machine()


def _windows_cpu_model() -> str | None:
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return None


def _operating_system() -> str:
    if sys.platform == "linux":
        try:
            name = platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            name = f"Linux {platform.release()}"
    else:
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"


def _nvidia_gpus() -> tuple[Gpu, ...]:
    """Return NVIDIA's GPUs; none where its driver is not installed. What the driver cannot tell is logged."""
    try:
        pynvml.nvmlInit()
        try:
            return tuple(_nvidia_gpu(index) for index in range(pynvml.nvmlDeviceGetCount()))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError_LibraryNotFound:
        return ()
    except pynvml.NVMLError as error:
        log.warning("gpu.unreadable", extra={"reason": str(error)})
        return ()


def _nvidia_gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
    return Gpu(name=pynvml.nvmlDeviceGetName(handle), memory_bytes=memory, driver=pynvml.nvmlSystemGetDriverVersion())
