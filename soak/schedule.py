"""Which faults happen when: drawn from a seed, and the same for the same seed. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What may go wrong."""

    RECORDER_KILLED = "recorder-killed"
    RECORDER_STOPPED = "recorder-stopped"
    BROKER_KILLED = "broker-killed"
    DATABASE_GONE = "database-gone"
    PLATFORM_KILLED = "platform-killed"
    BEAT_KILLED = "beat-killed"
    POISON = "poison"
    DEVICE_KILLED = "device-killed"
    DEVICE_FROZEN = "device-frozen"
    SUBMITTER_KILLED = "submitter-killed"
    HOSTILE = "hostile"
    PURGED = "purged"
    FLOOD = "flood"
    NETWORK_CUT = "network-cut"
    NETWORK_SLOW = "network-slow"
    CORPSE = "corpse"
    HALF_GONE = "half-gone"


@dataclass(frozen=True)
class Fault:
    """One fault: when it begins and how long it lasts, in seconds, and what draws its rest."""

    at: float
    kind: Kind
    seconds: float
    seed: int


@dataclass(frozen=True)
class Lane:
    """Faults of which one follows the other, with a pause of that many seconds between, at least and at most."""

    kinds: tuple[Kind, ...]
    pause: tuple[float, float]


#: Those of the platform itself come one at a time: a task that kills devices is held back by the platform's clearance,
#: and a device that gets none begins without.
LANES = (
    Lane(
        (
            Kind.RECORDER_KILLED,
            Kind.RECORDER_STOPPED,
            Kind.BROKER_KILLED,
            Kind.DATABASE_GONE,
            Kind.PLATFORM_KILLED,
            Kind.BEAT_KILLED,
            Kind.POISON,
        ),
        (8.0, 14.0),
    ),
    Lane(
        (
            Kind.DEVICE_KILLED,
            Kind.DEVICE_FROZEN,
            Kind.SUBMITTER_KILLED,
            Kind.HOSTILE,
            Kind.HOSTILE,
            Kind.PURGED,
            Kind.FLOOD,
            Kind.NETWORK_CUT,
            Kind.NETWORK_SLOW,
            Kind.CORPSE,
            Kind.HALF_GONE,
        ),
        (3.0, 8.0),
    ),
)

#: How long each lasts in seconds; what is not here is over at once, or when its effect is.
SECONDS = {
    Kind.RECORDER_STOPPED: 60.0,
    Kind.DATABASE_GONE: 20.0,
    Kind.DEVICE_FROZEN: 20.0,
    Kind.HOSTILE: 25.0,
    Kind.NETWORK_CUT: 20.0,
    Kind.NETWORK_SLOW: 15.0,
    Kind.CORPSE: 20.0,
    Kind.HALF_GONE: 12.0,
    Kind.BROKER_KILLED: 10.0,
    Kind.PLATFORM_KILLED: 5.0,
    Kind.POISON: 15.0,
}
# A short run has short faults, but for those that must outlast something.
_LONGEST_SHARE = 0.25
_NOT_SHORTER = 20.0


def schedule(seed: int, seconds: float, kinds: Sequence[Kind]) -> list[Fault]:
    """Return the faults of a run of that many seconds, by time, all of these kinds before any of them again."""
    faults = [fault for number, lane in enumerate(LANES) for fault in _lane(lane, kinds, seconds, seed + number)]
    return sorted(faults, key=lambda fault: fault.at)


def _lane(lane: Lane, kinds: Sequence[Kind], seconds: float, seed: int) -> Iterator[Fault]:
    chosen = random.Random(seed)
    deck = [kind for kind in lane.kinds if kind in kinds]
    at = chosen.uniform(*lane.pause)
    while deck:
        for kind in chosen.sample(deck, len(deck)):
            lasts = min(SECONDS.get(kind, 0.0), max(_LONGEST_SHARE * seconds, _NOT_SHORTER))
            if at + lasts > seconds:
                return
            yield Fault(at, kind, lasts, chosen.getrandbits(32))
            at += lasts + chosen.uniform(*lane.pause)
