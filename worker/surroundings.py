"""Looks at what is around a device, as far as its owner's preferences ask for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psutil

from worker.gauge import Gauge
from worker.gpu_health import nvidia_figures
from worker.input_idle import untouched
from worker.pause_rule import Surroundings
from worker.preferences import Preferences
from worker.processor import processor_temperature

# Seconds to wait for a figure; one that takes longer is told at the next look.
_WAIT = 0.3

_T = TypeVar("_T")


@dataclass(frozen=True)
class Sources:
    """Where figures come from. Each returns ``None``, or raises whatever it likes, where its figure is not known."""

    on_battery: Callable[[], bool | None]
    untouched: Callable[[], float | None]
    processor_temperature: Callable[[], float | None]
    gpu_temperature: Callable[[], float | None]


def on_battery() -> bool | None:
    """Return whether this machine runs on its battery, which one without a battery does not; ``None``: unknown."""
    read = getattr(psutil, "sensors_battery", None)
    if read is None:
        return None
    battery = read()
    plugged = True if battery is None else battery.power_plugged
    return None if plugged is None else not plugged


def gpu_temperature() -> float | None:
    """Return the temperature of the hottest GPU in degrees Celsius, of those that tell it: NVIDIA's."""
    return max((gpu.temperature for gpu in nvidia_figures() if gpu.temperature is not None), default=None)


#: Those of this machine.
THIS_MACHINE = Sources(on_battery, untouched, processor_temperature, gpu_temperature)


class Lookout:
    """Reads each figure on a thread of its own, so that one that hangs keeps nobody waiting.

    Args:
        sources: where figures come from.
    """

    def __init__(self, sources: Sources = THIS_MACHINE) -> None:
        self._on_battery = _gauge("battery", sources.on_battery)
        self._untouched = _gauge("input", sources.untouched)
        self._processor = _gauge("processor temperature", sources.processor_temperature)
        self._gpu = _gauge("gpu temperature", sources.gpu_temperature)

    def look(self, preferences: Preferences, others_cpu: float | None) -> Surroundings:
        """Return what is around, of what the preferences ask for; it takes a second or so at most."""
        return Surroundings(
            on_battery=_read(self._on_battery, preferences.not_on_battery),
            untouched=_read(self._untouched, preferences.only_when_idle_for is not None),
            others_cpu=others_cpu,
            processor_temperature=_read(self._processor, preferences.processor_temperature_limit is not None),
            gpu_temperature=_read(self._gpu, preferences.gpu_temperature_limit is not None),
        )


def unknown(preferences: Preferences, around: Surroundings) -> list[str]:
    """Return the preferences that do nothing, because what they ask for is not known on this machine."""
    asked = (
        ("not-on-battery", preferences.not_on_battery, around.on_battery),
        ("processor-temperature-limit", preferences.processor_temperature_limit, around.processor_temperature),
        ("gpu-temperature-limit", preferences.gpu_temperature_limit, around.gpu_temperature),
    )
    return [name for name, wanted, value in asked if wanted and value is None]


def _gauge(name: str, read: Callable[[], _T | None]) -> Gauge[_T | None]:
    return Gauge(name, read, lambda _: None)


def _read(gauge: Gauge[_T | None], is_wanted: bool) -> _T | None:
    if not is_wanted:
        return None
    gauge.begin()
    return gauge.value(time.monotonic() + _WAIT)
