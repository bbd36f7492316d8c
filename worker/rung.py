"""Rungs, the deliveries that they bring, and the moves that a ladder asks for."""

from dataclasses import dataclass, field
from typing import Any

from broker_config.regions import Region


@dataclass(eq=False)
class Rung:
    """One consumer of one queue, with a prefetch of 1. ``tag`` is its consumer tag while it is open.

    Attributes:
        step: how many slots of the device are taken before this one, on the ladder at home.
        home: whether the queue is the device's own region's.
    """

    queue: str
    region: Region
    step: int
    home: bool
    tag: str | None = None
    priority: int = 0


@dataclass(eq=False)
class Delivery:
    """One task that a rung brought, or that was fetched for it.

    Attributes:
        rung: which queue it came from.
        instead: whether it was fetched in place of the next task at home.
        lost: its connection is gone; it can be neither acknowledged nor returned.
    """

    rung: Rung
    tag: int
    task: Any
    arrived: float
    instead: bool = False
    lost: bool = False


@dataclass
class Moves:
    """What is to be done now, in this order: start, close, return, acknowledge, open, look.

    Starting comes first because it cannot fail: what follows may meet a lost connection, and a delivery that
    counts as running but was never started would hold its slot for ever. ``look`` are rungs whose queues are to
    be asked, one after the other, until one has a task.
    """

    start: list[Delivery] = field(default_factory=list)
    close: list[Rung] = field(default_factory=list)
    give_back: list[Delivery] = field(default_factory=list)
    acknowledge: list[Delivery] = field(default_factory=list)
    open: list[Rung] = field(default_factory=list)
    look: list[Rung] = field(default_factory=list)
