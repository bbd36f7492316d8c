"""Measures the recorder: how fast it catches up, how far it is behind under load, what a task occupies."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.figures import median, percentile
from bench.ground import Ground
from bench.progress import progress
from bench.recorder.database import KINDS, TABLES, database
from bench.recorder.fill import MESSAGES
from bench.recorder.network import Recorded, recorded
from bench.report import Report, Table, Target, milliseconds, number

#: Tasks whose messages wait when the recorder starts.
_TASKS = 20_000
#: So many tasks are under way at once, where not all are.
_UNDER_WAY = 200
#: Messages a second that are asked for.
_LEAST = {"SQLite": 5_000, "PostgreSQL": 7_500}
#: Under load: tasks a second, for how many seconds, and the seconds between two looks.
_LOAD, _SECONDS, _STEP = 1_000, 10.0, 0.05

_NOTES = (
    (
        f"The messages of {_TASKS:,} tasks wait in the ledger's queue, three each: one text, its start, 384 numbers in "
        "base64. The recorder starts, as a process of its own; time from its first message until the database has the "
        "last, on the same machine as the broker and the database, both of which write to the disk. "
        f"'{_UNDER_WAY} at once' has them as under a steady load, so that most lives are written whole; 'one after "
        "another' has all submissions, then all starts, then all results, so that each row is written three times. "
        "A recorder that was away for a while has to catch up what came meanwhile at that rate, less what still comes."
    ),
    (
        f"Lag: with {_LOAD:,} tasks a second for {_SECONDS:g} s, the time from the broker's confirm of a message until "
        f"the database has all before it. The recorder gathers messages for 50 ms."
    ),
)


@dataclass
class Samples:
    """What was measured of one kind of database, a value a run."""

    at_once: list[float] = field(default_factory=list)
    one_after_another: list[float] = field(default_factory=list)
    spent: list[tuple[float, float, float]] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)


def measure_recorder(ground: Ground, runs: int) -> Report:
    """Measure the recorder on this node with new databases of both kinds."""
    samples = {kind: Samples() for kind in KINDS}
    with progress("recorder", runs * len(KINDS) * 2) as begin:
        for run in range(runs):
            for kind in KINDS:
                begin(f"{kind}, run {run + 1}")
                _measure(ground.apart(f"{kind.lower()}-{run}"), kind, samples[kind])
                begin(f"{kind} one after another, run {run + 1}")
                _measure_worst(ground.apart(f"{kind.lower()}-{run}-worst"), kind, samples[kind])
    return _report(samples)


def _measure(ground: Ground, kind: str, samples: Samples) -> None:
    with database(kind) as made, recorded(ground, made) as network:
        rate, spent = _drain(network, _UNDER_WAY)
        samples.at_once.append(rate)
        samples.spent.append(spent)
        samples.sizes = made.sizes()
        samples.lags += _lags(network)


def _measure_worst(ground: Ground, kind: str, samples: Samples) -> None:
    with database(kind) as made, recorded(ground, made) as network:
        samples.one_after_another.append(_drain(network, _TASKS)[0])


def _drain(network: Recorded, together: int) -> tuple[float, tuple[float, float, float]]:
    """Return the messages recorded a second, and the processor time that each took of everybody."""
    network.live(_TASKS, together)
    mark, messages = network.put_mark(), _TASKS * MESSAGES
    with network.recorder() as recorder:
        begun, before = time.perf_counter(), network.processor(recorder)
        network.wait_for(mark, recorder)
        taken, after = time.perf_counter() - begun, network.processor(recorder)
    own, server, broker = ((later - sooner) / messages for later, sooner in zip(after, before, strict=True))
    return messages / taken, (own, server, broker)


def _lags(network: Recorded) -> list[float]:
    """Return, under load, how long it took from each look until everything before it had been recorded."""
    lags: list[float] = []
    with network.recorder() as recorder, network.load(_LOAD, _SECONDS) as loading:
        while not loading.done():
            looked = time.perf_counter()
            network.wait_for(network.put_mark(), recorder, look=0.005)
            lags.append(time.perf_counter() - looked)
            time.sleep(_STEP)
    return lags


def _report(samples: dict[str, Samples]) -> Report:
    targets = [
        Target(f"messages a second on {kind}", median(samples[kind].at_once), limit, at_most=False)
        for kind, limit in _LEAST.items()
    ]
    return Report("recorder", _NOTES, [_rates(samples), _spent(samples), _occupied(samples)], targets)


def _rates(samples: dict[str, Samples]) -> Table:
    columns = ("", f"{_UNDER_WAY} at once /s", "one after another /s", "lag p50 ms", "lag p99 ms")
    return Table("Messages recorded", columns, [(kind, *_rate(samples[kind])) for kind in KINDS])


def _rate(of: Samples) -> Sequence[str]:
    lags = (milliseconds(median(of.lags)), milliseconds(percentile(of.lags, 0.99)))
    return number(median(of.at_once)), number(median(of.one_after_another)), *lags


def _spent(samples: dict[str, Samples]) -> Table:
    columns = ("", "recorder", "database server", "broker")
    rows = []
    for kind in KINDS:
        sides = zip(*samples[kind].spent, strict=True)
        rows.append((kind, *(number(1e6 * median(side)) for side in sides)))
    return Table("Microseconds of processor time for a message", columns, rows)


def _occupied(samples: dict[str, Samples]) -> Table:
    rows = []
    for kind in KINDS:
        each = [samples[kind].sizes[name] / _TASKS for name in TABLES]
        rows.append((kind, *map(number, each), number(sum(each))))
    return Table("Bytes that a task which is done occupies, with indexes", ("", *TABLES, "together"), rows)
