"""The fourth check: the GPU that the device enrolled with is there, sound, and really used. Pure."""

from collections.abc import Mapping, Sequence

from registry.health_state import Check
from tasks.health.driver import is_older
from tasks.health.evidence import Asked
from tasks.health.finding import Finding, Verdict
from tasks.health.settings import CheckSettings
from tasks.probe import GpuReading, Readings

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

_NOT_LOADED = "{} does not load on it: {}. Repair its driver, or ONNX Runtime on it."
_OTHER_PROVIDER = "It runs its models by {} and joined with {}. Start it again, or let it join again as it is now."
_GONE = "Its GPU {} is not there{}. Look at its driver and its seat, or let it join again without it."
_FAULT = "Its GPU {} cannot be used: {}. Repair its driver, or start the machine again."
_ERRORS = (
    "The memory of its GPU {} has had {:,} errors that could not be corrected. Start the machine again; if they come "
    "back, replace the GPU."
)
_HOT = "Its GPU {} has {:.0f} °C; {:.0f} is the most. Clean its fans, or lend less of it."
_OLD = "Its GPU's driver is {}; models need {} or newer: update it."
_UNREADABLE = "The version of its GPU's driver cannot be compared with {}, which models need."


def check_gpu(asked: Asked, readings: Readings, settings: CheckSettings) -> Finding:
    """Return what is found. Of a device that was never measured, or joined without a GPU in use, it is not much."""
    ours = [gpu for gpu in readings.gpus if gpu.name == asked.gpu_name] if _uses_gpu(asked) else []
    figures = _figures(readings, ours)
    if reason := _provider(asked, readings) or _missing(asked, readings, ours) or _unsound(asked, ours, settings):
        return Finding(Check.GPU, Verdict.FAILED, reason, figures)
    if asked.provider == _CUDA and any(is_older(gpu.driver, settings.cuda_driver) is None for gpu in ours):
        return Finding(Check.GPU, Verdict.UNCHECKED, _UNREADABLE.format(settings.cuda_driver), figures)
    return Finding(Check.GPU, Verdict.PASSED, figures=figures)


def _uses_gpu(asked: Asked) -> bool:
    return asked.provider not in (None, _CPU)


def _provider(asked: Asked, readings: Readings) -> str | None:
    if readings.provider_fault is not None:
        return _NOT_LOADED.format(readings.provider, readings.provider_fault)
    if _uses_gpu(asked) and readings.provider != asked.provider:
        return _OTHER_PROVIDER.format(readings.provider, asked.provider)
    return None


def _missing(asked: Asked, readings: Readings, ours: Sequence[GpuReading]) -> str | None:
    if ours or asked.gpu_name is None or not _uses_gpu(asked):
        return None
    faults = (f" ({gpu.name}: {gpu.fault})" for gpu in readings.gpus if gpu.fault is not None)
    return _GONE.format(asked.gpu_name, next(faults, ""))


def _unsound(asked: Asked, ours: Sequence[GpuReading], settings: CheckSettings) -> str | None:
    """Return what is wrong with the first GPU of that name of which something is; a machine may have several."""
    return next((reason for gpu in ours if (reason := _wrong(asked, gpu, settings))), None)


def _wrong(asked: Asked, gpu: GpuReading, settings: CheckSettings) -> str | None:
    if gpu.fault is not None:
        return _FAULT.format(gpu.name, gpu.fault)
    if asked.provider == _CUDA and is_older(gpu.driver, settings.cuda_driver):
        return _OLD.format(gpu.driver, settings.cuda_driver)
    if gpu.memory_errors:
        return _ERRORS.format(gpu.name, gpu.memory_errors)
    if gpu.temperature is not None and gpu.temperature > settings.gpu_temperature:
        return _HOT.format(gpu.name, gpu.temperature, settings.gpu_temperature)
    return None


def _figures(readings: Readings, ours: Sequence[GpuReading]) -> Mapping[str, float | int | str | None]:
    figures: dict[str, float | int | str | None] = {"provider": readings.provider, "gpus": len(readings.gpus)}
    if ours:
        gpu = ours[0]
        figures |= {"driver": gpu.driver, "temperature": gpu.temperature, "memory_errors": gpu.memory_errors}
    return figures
