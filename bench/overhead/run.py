"""Measures what a task costs, contender beside contender."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from bench.figures import interleaved, median, percentile, spread
from bench.ground import Ground
from bench.overhead.contender import IN_FLIGHT, SLOTS, Contender
from bench.overhead.network import network, recorded_network
from bench.overhead.processor import Spent, spent_in
from bench.overhead.raw_pika import raw_pika
from bench.overhead.stock_celery import stock_celery
from bench.overhead.stock_dramatiq import stock_dramatiq
from bench.progress import progress
from bench.report import Report, Table, Target, milliseconds, number

_ROUND_TRIPS = 300
#: Seconds that one measurement of a rate takes, about: a tenth of a second gave rates that differed threefold.
_SECONDS = 1.5
# Tasks that find out how many that is, and the most: well below what a task queue holds.
_TRIAL, _MOST = 400, 40_000
#: The RabbitMQ that the rates are meant for, and its successors.
_RATES_FROM = (4, 3)

_NOTES = (
    (
        "A task that carries one word and is answered with eight numbers, by a process of its own. Round trip: one "
        f"task at a time, {_ROUND_TRIPS} a run. Rates: as many tasks a run as take about {_SECONDS:g} s, at most "
        f"{_MOST:,}. Submitted: from one process, to a queue that nobody reads, until the broker has confirmed the "
        f"last, or, where it confirms nothing, until it is handed over. Done: at most {IN_FLIGHT} under way "
        "(dramatiq, which returns no results: all of them), until the last is answered. "
        f"{SLOTS} slots, threads or unacknowledged messages."
    ),
    (
        "StarAI is the real library and the real device; only the model does nothing. Recorded is the same with every "
        "task and result copied to the ledger, and read and written to SQLite by the recorder, which counts as a "
        "worker here. Celery and dramatiq run with their defaults: classic queues, and neither has its submissions "
        "confirmed, so that their rates promise less. Raw pika is the limit: persistent messages on a quorum queue, "
        "without a task format, checks or identities, blocking on both sides for the round trip, asynchronous for the "
        "rates."
    ),
)

_CONTENDERS: tuple[Callable[[Ground], AbstractContextManager[Contender]], ...] = (
    network,
    recorded_network,
    raw_pika,
    stock_celery,
    stock_dramatiq,
)


@dataclass
class Samples:
    """One contender's figures, one of each a run: seconds, and tasks a second."""

    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    submitted: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)


def measure_overhead(ground: Ground, runs: int) -> Report:
    """Measure every contender on this node."""
    with ExitStack() as stack:
        contenders = [stack.enter_context(start(ground)) for start in _CONTENDERS]
        samples = {contender.name: Samples() for contender in contenders}
        counts = {contender.name: _counts(contender) for contender in contenders}
        begin = stack.enter_context(progress("overhead", runs * len(contenders)))
        for run, contender in interleaved(contenders, runs):
            begin(f"{contender.name}, run {run}")
            _measure(ground, contender, samples[contender.name], *counts[contender.name])
    return _report(ground.version, contenders, samples)


def _counts(contender: Contender) -> tuple[int, int]:
    """Return how many tasks to submit and to have done; connections and caches stand from here on."""
    contender.round_trips(_ROUND_TRIPS // 10)
    return _enough(contender.submit(_TRIAL)), _enough(contender.complete(_TRIAL))


def _enough(trial: float) -> int:
    return min(max(int(_TRIAL * _SECONDS / trial), _TRIAL), _MOST)


def _measure(ground: Ground, contender: Contender, samples: Samples, submitted: int, done: int) -> None:
    if taken := contender.round_trips(_ROUND_TRIPS):
        samples.p50.append(median(taken))
        samples.p95.append(percentile(taken, 0.95))
    samples.submitted.append(submitted / contender.submit(submitted))
    spent = spent_in(ground, lambda: samples.done.append(done / contender.complete(done)))
    samples.spent.append(spent.per(done))


def _report(version: str, contenders: Sequence[Contender], samples: dict[str, Samples]) -> Report:
    ours, limit = samples["StarAI"], samples["raw pika"]
    ratio = median(ours.p50) / median(limit.p50)
    rates = tuple(map(int, version.split(".")[:2])) >= _RATES_FROM
    return Report(
        "overhead",
        _NOTES,
        [_table(contenders, samples), _spent_table(contenders, samples)],
        [
            Target("round trip p50 / raw pika's", ratio, 1.5),
            Target("round trip p50 / raw pika's, stretch", ratio, 1.3),
            Target("submitted and confirmed a second", median(ours.submitted), 8000, at_most=False, applies=rates),
            Target("answered a second, not recorded", median(ours.done), 2500, at_most=False, applies=rates),
        ],
    )


def _table(contenders: Sequence[Contender], samples: dict[str, Samples]) -> Table:
    columns = ("", "p50 ms", "p95 ms", "/ raw pika", "submitted/s", "confirmed", "done/s", "spread of the runs")
    limit = median(samples["raw pika"].p50)
    return Table("A task that does nothing", columns, [_row(c, samples[c.name], limit) for c in contenders])


def _spent_table(contenders: Sequence[Contender], samples: dict[str, Samples]) -> Table:
    columns = ("", "broker", "worker", "submitter", "together")
    title = "Where the time goes: microseconds of processor time for a task that is done, many at once"
    return Table(title, columns, [_spent_row(contender, samples[contender.name].spent) for contender in contenders])


def _spent_row(contender: Contender, spent: Sequence[Spent]) -> tuple[str, ...]:
    sides = [median([getattr(one, side) for one in spent]) for side in ("broker", "workers", "submitter")]
    return (contender.name, *(number(1e6 * seconds) for seconds in (*sides, sum(sides))))


def _row(contender: Contender, samples: Samples, limit: float) -> tuple[str, ...]:
    trips = ("-", "-", "-")
    if samples.p50:
        p50 = median(samples.p50)
        trips = (milliseconds(p50), milliseconds(median(samples.p95)), number(p50 / limit))
    spreads = [spread(values) for values in (samples.p50, samples.submitted, samples.done) if values]
    return (
        contender.name,
        *trips,
        number(median(samples.submitted)),
        "yes" if contender.confirmed else "no",
        number(median(samples.done)),
        f"{max(spreads):.0%}",
    )
