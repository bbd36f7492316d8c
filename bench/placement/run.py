"""Measures placement: the ladder, the stock way and the bound, on the very same fleets and tasks."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from bench.figures import median, percentile
from bench.ground import Ground
from bench.peer import Peer
from bench.placement.bound import bound
from bench.placement.fleet import Arrival, Machine, arrivals, fleet
from bench.placement.fleet_peer import ladder_fleet, stock_fleet
from bench.placement.source import Outcome, send
from bench.progress import progress
from bench.report import Report, Table, Target, milliseconds, number

#: For how long tasks arrive in one run.
SECONDS = 10.0

_DEVICES, _SLOTS, _WORK = 18, 2, 0.2
_UTILISATIONS = (0.5, 0.7, 0.9)
#: How many times as fast the fastest device may be as the slowest, and the target at 70 %.
_TARGETS = {3.0: 1.10, 10.0: 1.20}
_AT = 0.7
_LADDER, _STOCK = "ladder", "stock"
# Seconds for rungs abroad to open.
_SETTLE = 1.0

_NOTES = (
    (
        f"{_DEVICES} simulated devices of {_SLOTS} slots in three regions, of log-uniform speeds, on the real broker; "
        f"a task takes work / speed seconds of real waiting, with works log-normal around {1000 * _WORK:.0f} ms. Tasks "
        "arrive as a Poisson process, from each region as often. Each run has a fleet and tasks of its own; the ladder "
        "and the stock way get the very same ones, at the same moments, on queues of their own. Subscriptions of the "
        "ladder are those of `worker.ladder.Ladder`; the stock way is one consumer for each region's queue, prefetch = "
        "slots, equal priorities. Times are from submission to answer, ratios those of the means, medians over "
        "the runs."
    ),
    (
        "The bound is what an omniscient scheduler reaches offline with the same fleet, arrivals and works, without "
        "network, broker or regions: the better of two. (a) Each task goes, as it arrives, to the slot that completes "
        "it first, works and free times being known. (b) One central queue, whose head goes to the fastest free slot. "
        "Neither is optimal, so that a ratio below 1 is possible."
    ),
)


@dataclass(frozen=True)
class Cell:
    """One spread of speeds at one utilisation."""

    spread: float
    utilisation: float


@dataclass
class Figures:
    """One way's figures in one cell, one of each a run."""

    mean: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)
    home: list[float] = field(default_factory=list)

    def add(self, taken: Sequence[float], best: float, home: float | None = None) -> None:
        """Take in a run, beside the mean that the bound reached in it."""
        self.mean.append(fmean(taken))
        self.p95.append(percentile(taken, 0.95))
        self.ratio.append(fmean(taken) / best)
        if home is not None:
            self.home.append(home)


def measure_placement(ground: Ground, runs: int, seconds: float) -> Report:
    """Measure every cell on this node."""
    cells = [Cell(spread, utilisation) for spread in _TARGETS for utilisation in _UTILISATIONS]
    found = {cell: {_LADDER: Figures(), _STOCK: Figures(), "bound": Figures()} for cell in cells}
    ground.host([_LADDER, _STOCK])
    with progress("placement", runs * len(cells)) as begin:
        for run in range(1, runs + 1):
            for cell in cells:
                begin(f"spread {cell.spread:g}, {cell.utilisation:.0%}, run {run}")
                _measure(ground, cell, run, seconds, found[cell])
    return _report(found)


def _measure(ground: Ground, cell: Cell, run: int, seconds: float, figures: dict[str, Figures]) -> None:
    chosen = random.Random(run)
    machines = fleet(_DEVICES, _SLOTS, cell.spread, chosen)
    tasks = arrivals(machines, cell.utilisation, _WORK, seconds, chosen)
    best = bound(machines, tasks)
    figures["bound"].add(best, fmean(best))
    outcomes = _serve(ground, machines, tasks)
    for way, outcome in outcomes.items():
        figures[way].add(outcome.taken, fmean(best), outcome.home_share)


def _serve(ground: Ground, machines: Sequence[Machine], tasks: Sequence[Arrival]) -> dict[str, Outcome]:
    ladder = Peer(ladder_fleet, ground.url, _LADDER, machines)
    stock = Peer(stock_fleet, ground.url, _STOCK, machines)

    def check() -> None:
        ladder.check()
        stock.check()

    with ladder, stock:
        time.sleep(_SETTLE)
        return send(ground.url, [_LADDER, _STOCK], tasks, check)


def _report(found: dict[Cell, dict[str, Figures]]) -> Report:
    columns = ("speeds, busy", "way", "mean ms", "p95 ms", "mean / bound", "at home")
    rows = [_row(cell, way, figures) for cell, ways in found.items() for way, figures in ways.items()]
    targets = [
        Target(f"mean / bound at 70 %, speeds {spread:g}-fold", median(found[Cell(spread, _AT)][_LADDER].ratio), limit)
        for spread, limit in _TARGETS.items()
    ]
    return Report("placement", _NOTES, [Table("Time to result", columns, rows)], targets)


def _row(cell: Cell, way: str, figures: Figures) -> tuple[str, ...]:
    return (
        f"{cell.spread:g}-fold, {cell.utilisation:.0%}",
        way,
        milliseconds(median(figures.mean)),
        milliseconds(median(figures.p95)),
        number(median(figures.ratio)),
        f"{median(figures.home):.0%}" if figures.home else "-",
    )
