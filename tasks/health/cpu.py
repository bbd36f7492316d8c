"""The third check: the processor is cool enough, and there is memory and disk left. Pure.

A busy processor is no failure: the device's priority says so, and whoever is less busy gets the tasks.
"""

from registry.health_state import Check
from tasks.health.finding import Finding, Verdict
from tasks.health.settings import CheckSettings
from tasks.probe import Readings

_HOT = "Its processor has {:.0f} °C; {:.0f} is the most. Clean its fans, or lend less of it."
_MEMORY = "It has {:,.0f} MiB of memory left; {:,.0f} is the least. Close programs on it, or lend less of it."
_DISK = "Its disk has {:,.0f} MiB left where its models are; {:,.0f} is the least. Free some of it."

_MIB = 2**20


def check_cpu(readings: Readings, settings: CheckSettings) -> Finding:
    """Return what is found. What the device cannot tell is no failure, as the memory left is to a page in a browser."""
    reason = _reason(readings, settings)
    figures = {
        "load": readings.load,
        "processor": readings.processor,
        "temperature": readings.temperature,
        "memory_left": readings.memory_left,
        "disk_left": readings.disk_left,
    }
    return Finding(Check.CPU, Verdict.FAILED if reason else Verdict.PASSED, reason or "", figures)


def _reason(readings: Readings, settings: CheckSettings) -> str | None:
    temperature, memory, disk = readings.temperature, readings.memory_left, readings.disk_left
    if temperature is not None and temperature > settings.cpu_temperature:
        return _HOT.format(temperature, settings.cpu_temperature)
    if memory is not None and memory < settings.memory_left:
        return _MEMORY.format(memory / _MIB, settings.memory_left / _MIB)
    if disk is not None and disk < settings.disk_left:
        return _DISK.format(disk / _MIB, settings.disk_left / _MIB)
    return None
