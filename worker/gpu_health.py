"""How the GPUs are: what was found, and what NVIDIA's driver tells of heat and of errors in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pynvml

from models.measurement import Gpu, Maker
from tasks.probe import GpuReading
from worker.gpus import find_gpus

# More GPUs no machine has.
_MOST = 16

_T = TypeVar("_T")


@dataclass(frozen=True)
class Figures:
    """What a driver tells of one GPU: degrees Celsius and uncorrected errors of memory; ``None``: it does not tell."""

    temperature: float | None = None
    memory_errors: int | None = None


def read_gpus(memory_bytes: int) -> tuple[GpuReading, ...]:
    """Return how the GPUs of this machine are, which has so much memory."""
    return gpu_readings(find_gpus(memory_bytes), nvidia_figures())


def gpu_readings(gpus: Sequence[Gpu], figures: Iterable[Figures]) -> tuple[GpuReading, ...]:
    """Return the GPUs, those of NVIDIA with the figures, which are in the same order."""
    left = iter(figures)
    told = (next(left, Figures()) if gpu.maker is Maker.NVIDIA else Figures() for gpu in gpus)
    return tuple(_reading(gpu, its) for gpu, its in zip(gpus, told, strict=True))[:_MOST]


def silent(last: tuple[GpuReading, ...] | None) -> tuple[GpuReading, ...]:
    """Return what stands for GPUs of which nothing can be read any more."""
    return tuple(
        GpuReading(name=gpu.name, driver=gpu.driver, fault=gpu.fault or "Its driver does not answer")
        for gpu in last or ()
    )


def nvidia_figures() -> list[Figures]:
    """Return the figures of NVIDIA's GPUs, in the order of their places on the bus; none without a driver that works.

    A GPU of which a figure cannot be told has none: that it is broken, :func:`find_gpus` finds.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_figures(place) for place in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _figures(place: int) -> Figures:
    handle = _told(lambda: pynvml.nvmlDeviceGetHandleByIndex(place))
    if handle is None:
        return Figures()
    temperature = _told(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    uncorrected, since = pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC
    errors = _told(lambda: pynvml.nvmlDeviceGetTotalEccErrors(handle, uncorrected, since))
    return Figures(temperature, errors)


def _told(ask: Callable[[], _T]) -> _T | None:
    try:
        return ask()
    except pynvml.NVMLError:  # not supported, mostly
        return None


def _reading(gpu: Gpu, figures: Figures) -> GpuReading:
    return GpuReading(
        name=gpu.name,
        driver=gpu.driver,
        temperature=figures.temperature,
        memory_errors=figures.memory_errors,
        fault=gpu.fault,
    )
