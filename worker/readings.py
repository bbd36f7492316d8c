"""What this device says of itself: figures of the machine, and of its work.

Every figure of the machine is read on a thread of its own. One that takes too long, or fails, is left out or told as it
was last, so that a device answers with what it has.
"""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import psutil

from models.measurement import plain
from models.store import ModelStore
from tasks.probe import GpuReading, Readings
from worker.gauge import Gauge
from worker.gpu_health import read_gpus, silent
from worker.ladder import Ladder
from worker.processor import ProcessorUse, processor_temperature
from worker.provider import EVERY, ProviderState, ProviderTrials

#: Seconds within which readings are taken, whatever hangs.
TAKEN_WITHIN = 1.5
#: Seconds to wait for the very first trial of the execution provider, which takes a process.
_FIRST_TRIAL_WITHIN = 3.0


class Observed(Protocol):
    """What is asked of a device's work."""

    @property
    def ladders(self) -> Iterable[Ladder]:
        """The ladders of its models."""

    @property
    def broken(self) -> Mapping[str, str]:
        """The models that it cannot make ready, each with the reason."""

    @property
    def paused(self) -> str | None:
        """Why it takes no tasks by its owner's wish."""

    def load(self, ladder: Ladder) -> float:
        """Return what it is under besides that ladder's own tasks."""


class Machine:
    """The figures of this machine.

    Args:
        models: the folder in which models are kept.
    """

    def __init__(self, models: Path | None = None) -> None:
        folder = models or ModelStore().folder
        self._memory_bytes = psutil.virtual_memory().total
        self.processor: Gauge[float] = Gauge("processor", ProcessorUse().read, lambda last: last or 0.0)
        self.temperature: Gauge[float | None] = Gauge("temperature", processor_temperature, lambda _: None)
        self.memory: Gauge[int] = Gauge("memory", lambda: psutil.virtual_memory().available, lambda last: last or 0)
        self.disk: Gauge[int] = Gauge("disk", lambda: disk_left(folder), lambda last: last or 0)
        self.gpus: Gauge[tuple[GpuReading, ...]] = Gauge("gpus", lambda: read_gpus(self._memory_bytes), silent)
        self.provider: Gauge[ProviderState] = Gauge(
            "provider", ProviderTrials().read, lambda last: last or ProviderState(), every=EVERY
        )

    def begin(self) -> None:
        """Begin to read what is not under way."""
        for gauge in (self.processor, self.temperature, self.memory, self.disk, self.gpus, self.provider):
            gauge.begin()


def take_readings(device: Observed, machine: Machine) -> Readings:
    """Return how the device is, within :data:`TAKEN_WITHIN` seconds; at first it takes up to 3 s."""
    machine.begin()
    until = time.monotonic() + TAKEN_WITHIN
    ladders = list(device.ladders)
    broken = dict(device.broken)
    provider = machine.provider.value(until)
    if not provider.name and not provider.fault:  # not tried yet
        provider = machine.provider.value(until + _FIRST_TRIAL_WITHIN - TAKEN_WITHIN)
    return Readings(
        load=max((device.load(ladder) for ladder in ladders), default=0.0),
        processor=machine.processor.value(until),
        temperature=machine.temperature.value(until),
        memory_left=machine.memory.value(until),
        disk_left=machine.disk.value(until),
        gpus=machine.gpus.value(until),
        provider=provider.name,
        provider_fault=provider.fault,
        models=tuple(ladder.deployment.model for ladder in ladders if ladder.deployment.model not in broken),
        broken={model: plain(reason) for model, reason in broken.items()},
        running=sum(ladder.running for ladder in ladders),
        held=sum(ladder.held for ladder in ladders),
        unsettled=sum(ladder.unsettled for ladder in ladders),
        consumers=sum(ladder.consumers for ladder in ladders),
        paused=device.paused and plain(device.paused),
    )


def disk_left(folder: Path) -> int:
    """Return how many bytes are left where that folder is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return psutil.disk_usage(str(there)).free
