"""How the processor is: its use, and its temperature where the system tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

import psutil

# The kernel's drivers for sensors in processors: Intel's, AMD's, and those of systems on a chip.
_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal")
# AMD's control value is above the temperature on some processors; where the die's own is told, that counts.
_CONTROL, _DIE = "Tctl", "Tdie"
# What a report may hold; beyond it a sensor is broken.
_COLDEST, _HOTTEST = -100.0, 300.0


class ProcessorUse:
    """The share of all logical processors that was in use since the last reading, or since this was made."""

    def __init__(self) -> None:
        self._last = psutil.cpu_times()

    def read(self) -> float:
        """Return the share, from 0.0 to 1.0."""
        now = psutil.cpu_times()
        whole, idle = _whole(now) - _whole(self._last), _idle(now) - _idle(self._last)
        self._last = now
        return min(max(1.0 - idle / whole, 0.0), 1.0) if whole > 0 else 0.0


def processor_temperature() -> float | None:
    """Return the temperature of the processor's hottest part in degrees Celsius; ``None`` where it is not known."""
    read = getattr(psutil, "sensors_temperatures", None)  # Linux and FreeBSD alone
    return hottest(read()) if read else None


def hottest(sensors: Mapping[str, Sequence[Any]]) -> float | None:
    """Return the highest temperature of the processor among sensors by their chip, as psutil tells them."""
    found = [(entry.label, entry.current) for chip in _CHIPS for entry in sensors.get(chip, ())]
    labels = {label for label, _ in found}
    told = [value for label, value in found if label != _CONTROL or _DIE not in labels]
    return max((value for value in told if _COLDEST <= value <= _HOTTEST), default=None)


def _whole(times: Any) -> float:
    # The time of guests is in that of users as well.
    return float(sum(times)) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)


def _idle(times: Any) -> float:
    return float(times.idle + getattr(times, "iowait", 0.0))
