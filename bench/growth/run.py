"""Measures growth: the same figures with 10 to 3,000 consumers on a queue, and the memory of waiting tasks."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pika

from bench.figures import growth, interleaved, median
from bench.ground import Ground
from bench.growth.consumers import HOLD, RELEASE, RESUBSCRIBE, consume, placed_well, priorities
from bench.growth.memory import Waiting, measure_waiting
from bench.peer import Peer
from bench.progress import progress
from bench.raw import blocking, pipelined
from bench.raw.messages import persistent
from bench.report import Report, Table, Target, milliseconds, number
from broker_config.address import parameters

_SIZES = (10, 100, 1000, 3000)
_ROUND_TRIPS, _DELIVERIES, _RESUBSCRIPTIONS, _IN_FLIGHT = 300, 3000, 100, 8
_MOST_HELD = 500
_WAITING = (10_000, 40_000)
_SHELF = "shelf"
_FLAT = 0.2

_NOTES = (
    (
        "One quorum queue with that many consumers of prefetch 1, whose priorities are spread over 0 to 127, in one "
        f"process with one connection; pika alone on both sides. Round trip: one call at a time, {_ROUND_TRIPS} a run. "
        f"Delivered: {_DELIVERIES:,} calls a run, {_IN_FLIGHT} under way, each answered and acknowledged. Subscribed: "
        "a consumer begun and cancelled, one after the other. Placed best: half as many calls as there are consumers, "
        f"at most {_MOST_HELD}, none acknowledged: the share that the consumers of the highest priorities got."
    ),
    (
        "Memory: resident memory of the node's processes and of the client's, more than before, for each task that "
        "waits in a queue that nobody reads; the client keeps its job."
    ),
)


@dataclass
class Figures:
    """The figures of one size, one of each a run."""

    round_trip: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    subscribed: list[float] = field(default_factory=list)
    placed: list[float] = field(default_factory=list)


def measure_growth(ground: Ground, runs: int) -> Report:
    """Measure every size on this node."""
    waiting = _measure_memory(ground)
    url = ground.own_vhost("growth")
    with ExitStack() as stack:
        blocking.declare(url, *map(_queue, _SIZES))
        peers = {size: stack.enter_context(Peer(consume, url, _queue(size), size)) for size in _SIZES}
        figures = {size: Figures() for size in _SIZES}
        for size in _SIZES:
            blocking.round_trips(url, _queue(size), 30, b"warm")
        begin = stack.enter_context(progress("growth", runs * len(_SIZES)))
        for run, size in interleaved(_SIZES, runs):
            begin(f"{size} consumers, run {run}")
            _measure(url, size, peers[size], figures[size])
    return _report(figures, waiting)


def _queue(size: int) -> str:
    return f"consumers.{size}"


def _measure_memory(ground: Ground) -> list[Waiting]:
    ground.host([_SHELF])
    with progress("growth: memory of waiting tasks", 1) as begin:
        begin("")
        return measure_waiting(ground, _SHELF, _WAITING)


def _measure(url: str, size: int, peer: Peer, figures: Figures) -> None:
    queue = _queue(size)
    figures.round_trip.append(median(blocking.round_trips(url, queue, _ROUND_TRIPS, b"call")))
    taken = pipelined.complete(url, queue, _DELIVERIES, b"call", _IN_FLIGHT)
    figures.delivered.append(_DELIVERIES / taken)
    figures.subscribed.append(_RESUBSCRIPTIONS / peer.ask((RESUBSCRIBE, _RESUBSCRIPTIONS)))
    figures.placed.append(placed_well(_hold(url, queue, min(size // 2, _MOST_HELD)), priorities(size)))
    peer.ask((RELEASE, 0))


def _hold(url: str, queue: str, count: int) -> list[int]:
    """Let consumers take that many calls and keep them; return the priorities of those that did."""
    with pika.BlockingConnection(parameters(url)) as connection:
        channel = connection.channel()
        reply_to = channel.queue_declare("", exclusive=True).method.queue
        for _ in range(count):
            channel.basic_publish("", queue, HOLD, persistent(reply_to))
        answers = channel.consume(reply_to, auto_ack=True, inactivity_timeout=30.0)
        taken_by = [int(body) for _, (_, _, body) in zip(range(count), answers, strict=False) if body is not None]
        channel.cancel()
        return taken_by


def _report(figures: dict[int, Figures], waiting: Sequence[Waiting]) -> Report:
    by_size = list(figures.values())
    trips = [median(one.round_trip) for one in by_size]
    per_delivery = [1 / median(one.delivered) for one in by_size]
    placed = min(median(one.placed) for one in by_size)
    return Report(
        "growth",
        _NOTES,
        [_consumers_table(figures), _memory_table(waiting)],
        [
            Target("growth of the round trip from 10 to 3,000 consumers", growth(trips), _FLAT),
            Target("growth of the time per delivery from 10 to 3,000 consumers", growth(per_delivery), _FLAT),
            Target("placed best, with any number of consumers", placed, 1.0, at_most=False),
        ],
    )


def _consumers_table(figures: dict[int, Figures]) -> Table:
    columns = ("consumers", "round trip p50 ms", "delivered/s", "subscribed/s", "placed best")
    rows = [
        (
            f"{size:,}",
            milliseconds(median(one.round_trip)),
            number(median(one.delivered)),
            number(median(one.subscribed)),
            f"{median(one.placed):.0%}",
        )
        for size, one in figures.items()
    ]
    return Table("Consumers of one queue", columns, rows)


def _memory_table(waiting: Sequence[Waiting]) -> Table:
    rows = [(f"{one.tasks:,}", number(one.at_broker), number(one.in_client)) for one in waiting]
    return Table("Bytes for each waiting task", ("tasks waiting", "at the broker", "in the client"), rows)
