"""Simulated fleets of unequal devices, and the tasks that arrive for them. Pure, and the same for the same seed."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from broker_config.regions import Region

REGIONS = (Region.ASIA, Region.EUROPE, Region.NORTH_AMERICA)

# Of the logarithm of a task's work.
_SIGMA = 0.5


@dataclass(frozen=True)
class Machine:
    """A device: it does ``speed`` seconds of work a second on each of its slots."""

    region: Region
    speed: float
    slots: int


@dataclass(frozen=True)
class Arrival:
    """A task: when it arrives, in seconds from the beginning, from where, and its work in seconds at speed 1."""

    at: float
    region: Region
    work: float


def fleet(count: int, slots: int, spread: float, chosen: random.Random) -> list[Machine]:
    """Return devices in all regions in turn, the fastest at most ``spread`` times as fast as the slowest.

    Speeds are log-uniform around 1.
    """
    return [Machine(REGIONS[i % len(REGIONS)], spread ** (chosen.random() - 0.5), slots) for i in range(count)]


def capacity(machines: Sequence[Machine]) -> float:
    """Return the seconds of work that the fleet does in a second."""
    return sum(machine.speed * machine.slots for machine in machines)


def arrivals(
    machines: Sequence[Machine], utilisation: float, work: float, seconds: float, chosen: random.Random
) -> list[Arrival]:
    """Return Poisson arrivals, from each region as often, that keep the fleet busy to that share.

    Works are log-normal with a mean of ``work`` seconds.
    """
    rate = utilisation * capacity(machines) / work
    tasks: list[Arrival] = []
    at = chosen.expovariate(rate)
    while at < seconds:
        amount = work * math.exp(chosen.gauss(-(_SIGMA**2) / 2, _SIGMA))
        tasks.append(Arrival(at, chosen.choice(REGIONS), amount))
        at += chosen.expovariate(rate)
    return tasks
