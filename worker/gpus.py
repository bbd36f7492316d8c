"""All GPUs of this machine, whoever made them."""

import sys

from models.measurement import Gpu, Maker
from worker.gpu_amd import amd_gpus
from worker.gpu_apple import mac_gpus
from worker.gpu_nvidia import nvidia_gpus
from worker.gpu_windows import windows_gpus


def find_gpus(memory_bytes: int) -> tuple[Gpu, ...]:
    """Return the GPUs of this machine, which has so much memory. Intel's are found on Windows and macOS alone."""
    if sys.platform == "darwin":
        found = mac_gpus(memory_bytes)
    elif sys.platform == "win32":
        found = without_twins(nvidia_gpus(), windows_gpus())
    else:
        found = (*nvidia_gpus(), *amd_gpus())
    return found


def without_twins(by_driver: tuple[Gpu, ...], by_registry: tuple[Gpu, ...]) -> tuple[Gpu, ...]:
    """Return both together: NVIDIA's GPUs as their driver tells them, as soon as it tells any."""
    others = tuple(gpu for gpu in by_registry if not by_driver or gpu.maker is not Maker.NVIDIA)
    return by_driver + others
