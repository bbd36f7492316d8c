"""What submitters ask for, drawn at random. Pure."""

import random
from dataclasses import dataclass
from typing import TypeVar

from broker_config.regions import Region

_Choice = TypeVar("_Choice")

#: The models of the network under test; the first one is its tier's default, the other one no catalogue's.
MODELS = ("all-minilm-l6-v2", "stand-in")
#: Regions from which tasks come; no device stands in the last one.
REGIONS = (Region.ASIA, Region.EUROPE, Region.NORTH_AMERICA, Region.AFRICA)
#: The longest deadline and lease that are asked for, in seconds.
LONGEST_DEADLINE, LONGEST_LEASE = 120.0, 20.0

_TARGETS = {MODELS[0]: 70, MODELS[1]: 20, "tiny": 10}
_DEADLINES = {2.0: 4, 15.0: 16, 60.0: 50, LONGEST_DEADLINE: 30}
_LEASES = {5.0: 30, LONGEST_LEASE: 70}
# Of the texts; what is left takes its time and is answered.
_KINDS = {"take": 930, "refuse": 20, "crash": 4, "unknown": 8, "long": 38}
# Of those that take a while, and of all others.
_CANCELLED = {True: 0.6, False: 0.02}


@dataclass(frozen=True)
class Wish:
    """One task: what is asked for, and after how many seconds it is cancelled, if it is."""

    model: str
    inputs: str | list[str]
    region: Region
    deadline: float
    lease: float
    cancel_after: float | None = None


def wish(chosen: random.Random, home: Region) -> Wish:
    """Draw one; three of four are from the submitter's own region."""
    kind = _pick(chosen, _KINDS)
    text = kind if kind in ("refuse", "crash") else f"take {_seconds(chosen, kind):.3f}"
    return Wish(
        model="nobody-hosts-this" if kind == "unknown" else _pick(chosen, _TARGETS),
        inputs=text if chosen.random() < 0.8 else [text, *["short"] * chosen.randrange(1, 30)],
        region=home if chosen.random() < 0.75 else chosen.choice(REGIONS),
        deadline=_pick(chosen, _DEADLINES),
        lease=_pick(chosen, _LEASES),
        cancel_after=chosen.uniform(0, 1) if chosen.random() < _CANCELLED[kind == "long"] else None,
    )


def _seconds(chosen: random.Random, kind: str) -> float:
    return chosen.uniform(1.0, 4.0) if kind == "long" else min(chosen.expovariate(1 / 0.03), 0.5)


def _pick(chosen: random.Random, weights: dict[_Choice, int]) -> _Choice:
    return chosen.choices(list(weights), list(weights.values()))[0]
