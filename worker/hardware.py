"""What this machine is made of, as the operating system and the GPUs' drivers tell it."""

import platform
import sys

import psutil
from pydantic import BaseModel, ConfigDict

from models.measurement import Gpu, plain
from worker.cpu import cpu_model
from worker.gpus import find_gpus


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


def find_hardware() -> Hardware:
    """Look at this machine."""
    threads = psutil.cpu_count() or 1
    memory = psutil.virtual_memory()
    return Hardware(
        operating_system=plain(_operating_system()),
        cpu_model=plain(cpu_model()),
        # Unknown on some virtual machines: each thread then counts as a core.
        physical_cores=psutil.cpu_count(logical=False) or threads,
        threads=threads,
        memory_bytes=memory.total,
        memory_available_bytes=memory.available,
        gpus=find_gpus(memory.total),
    )


def _operating_system() -> str:
    if sys.platform == "linux":
        try:
            name = platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            name = f"Linux {platform.release()}"
    else:
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"
