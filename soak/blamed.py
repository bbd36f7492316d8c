"""Whom the platform blamed, beside what befell whom. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

#: Seconds after a fault in which it may still count: three silences in a row, an attempt that is known to be lost only
#: when another device asks for its task, failures that wait for a recorder that is stopped for a minute.
SLACK = 150.0


@dataclass(frozen=True)
class Costly:
    """An event that took a device some trust: of when (Unix time, in seconds), and why."""

    device: str
    at: float
    kind: str
    reason: str


@dataclass(frozen=True)
class Befallen:
    """A fault that befell a device, from when until when (Unix time, in seconds)."""

    device: str
    began: float
    ended: float


def wrongly_blamed(costly: Iterable[Costly], befallen: Iterable[Befallen]) -> list[Costly]:
    """Return what counted against a device that nothing had befallen at that time."""
    faults = list(befallen)
    return [event for event in costly if not any(_explains(fault, event) for fault in faults)]


def _explains(fault: Befallen, event: Costly) -> bool:
    return fault.device == event.device and fault.began <= event.at <= fault.ended + SLACK
