"""The deployment plan: which models a device should host, and where, by what it measured and what its owner lends.

The largest model comes first, since few devices can hold it, with as many slots as fit; then smaller ones into the
rest. A model fits where its weights, the keys and values of its context in each slot, and its process's overhead do,
and where memory is read fast enough to decode. It runs on one GPU, or on the processor, where the device has an
engine for it. A language model has no more slots than get enough tokens a second while all of them run. A page in a
browser runs one tiny model, with one slot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from pydantic import BaseModel, ConfigDict

from models import reason
from models.browser import BROWSER
from models.entry import CatalogueEntry
from models.measurement import Measurement
from models.need import fast_slots, needed_bytes, tokens_per_second
from models.pool import Pool, pools, runs_on, unused
from models.share import Share

#: More tasks at once are no faster on most devices (worker/calibrate.py measures how many are).
MOST_SLOTS = 8


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Placement(_Data):
    """A model that the device should host.

    Attributes:
        gpu: the place of its GPU among the measurement's; ``None`` for the processor.
        slots: for how many tasks at once there is memory, and speed.
        threads: of the processor, for its process.
        memory_bytes: what it takes of what is lent, with that many slots.
        tokens_per_second: predicted for one task alone, which those of a language model share; of a model that embeds,
            a lower bound.
    """

    model: str
    gpu: int | None
    slots: int
    threads: int
    memory_bytes: int
    tokens_per_second: float


class Verdict(_Data):
    """Whether the device should host a model, and why."""

    model: str
    hosted: bool
    reason: str


class Plan(_Data):
    """What a device should host.

    Attributes:
        placements: the largest model first.
        verdicts: one for each model that there is to choose from, the largest first.
        unused_gpus: a sentence for each GPU that does not count.
    """

    placements: tuple[Placement, ...]
    verdicts: tuple[Verdict, ...]
    unused_gpus: tuple[str, ...]


def plan(
    measured: Measurement, share: Share, entries: Iterable[CatalogueEntry], demand: Mapping[str, int] | None = None
) -> Plan:
    """Return what a device should host. It never exceeds the share; a larger share never makes the largest one smaller.

    Args:
        measured: the device's hardware and speed.
        share: what its owner lends.
        entries: the models to choose from.
        demand: how many tasks wait for each model: of two that are as large, the one with more comes first.
    """
    rooms = [_Room(pool, pool.lent_bytes) for pool in pools(measured, share)]
    placements: list[Placement] = []
    verdicts: list[Verdict] = []
    for entry in _in_order(entries, demand or {}):
        open_to_it = [room for room in rooms if runs_on(entry, measured, room.pool)]
        placed, why = _place(entry, open_to_it, share.threads - len(placements))
        if not placed and (without := _without_engine(entry, measured, rooms)):
            why = f"{why} {without}".strip()
        placements += placed
        verdicts.append(Verdict(model=entry.name, hosted=bool(placed), reason=why))
    whys = (unused(measured, place) for place in range(len(measured.gpus)))
    return Plan(
        placements=_with_threads(placements, min(share.threads, measured.physical_cores, measured.speeds[-1].threads)),
        verdicts=tuple(verdicts),
        unused_gpus=tuple(why for why in whys if why),
    )


@dataclass
class _Room:
    """A pool, what is left of it while models are placed, and how many there are in it, with how many slots."""

    pool: Pool
    left_bytes: int
    models: int = 0
    taken: int = 0

    @property
    def most(self) -> int:
        """The most slots that one more model may have."""
        return MOST_SLOTS if self.pool.slots is None else min(MOST_SLOTS, self.pool.slots - self.taken)

    @property
    def gb_per_s_each(self) -> float:
        """The bandwidth that one more model would get while all of them run."""
        return self.pool.gb_per_s / (self.models + 1)

    def slots(self, entry: CatalogueEntry) -> int:
        """Return with how many slots a model fits into the rest; 0 when it does not, or is too slow here."""
        most = fast_slots(entry, self.pool, self.most)
        fitting = (n for n in range(most, 0, -1) if needed_bytes(entry, self.pool, n) <= self.left_bytes)
        return next(fitting, 0)

    def misfit(self, entry: CatalogueEntry) -> str:
        """Say why a model has no slot here."""
        return reason.misfit(entry, self.pool, self.left_bytes) if self.most else reason.no_slot(self.pool)

    def take(self, entry: CatalogueEntry, slots: int) -> Placement:
        """Put a model here."""
        taken = needed_bytes(entry, self.pool, slots)
        self.left_bytes -= taken
        self.models += 1
        self.taken += slots
        return Placement(
            model=entry.name,
            gpu=self.pool.gpu,
            slots=slots,
            threads=1,
            memory_bytes=taken,
            tokens_per_second=round(tokens_per_second(entry, self.pool), 1),
        )


def _in_order(entries: Iterable[CatalogueEntry], demand: Mapping[str, int]) -> list[CatalogueEntry]:
    return sorted(entries, key=lambda entry: (-entry.parameters, -demand.get(entry.name, 0), entry.name))


def _place(entry: CatalogueEntry, rooms: list[_Room], threads_left: int) -> tuple[list[Placement], str]:
    """Put a model, if it fits anywhere, where it gets the most bandwidth; and say why."""
    open_rooms = [room for room in rooms if room.slots(entry)]
    if not open_rooms:
        return [], " ".join(room.misfit(entry) for room in rooms)
    if threads_left < 1:
        return [], reason.NO_THREAD
    room = max(open_rooms, key=attrgetter("gb_per_s_each"))
    placed = room.take(entry, room.slots(entry))
    return [placed], reason.fits(entry, room.pool, placed.slots)


def _without_engine(entry: CatalogueEntry, measured: Measurement, rooms: list[_Room]) -> str:
    """Say where the device has no engine for a model; nothing where it has one everywhere."""
    without = [room.pool for room in rooms if not runs_on(entry, measured, room.pool)]
    if len(without) == len(rooms):
        return reason.not_in_browser(entry) if measured.provider == BROWSER else reason.NO_ENGINE
    return " ".join(map(reason.no_engine, without))


def _with_threads(placements: list[Placement], threads: int) -> tuple[Placement, ...]:
    """Give what is left, after a thread for each model, to the largest one that runs on the processor."""
    on_processor = [placement.model for placement in placements if placement.gpu is None]
    left = max(0, threads - len(placements))
    return tuple(
        placement.model_copy(update={"threads": 1 + left}) if placement.model in on_processor[:1] else placement
        for placement in placements
    )
