"""A fleet of ladders on a real broker, all in one thread. Their tasks are waits, so that many devices cost little."""

import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel
from pika.spec import Basic

from broker_config import names
from broker_config.address import parameters
from broker_config.regions import Region
from broker_config.tiers import Tier
from tasks.deployment import Deployment
from tests.worker.fleet import MODEL, Work
from worker.ladder import Ladder
from worker.rung import Delivery, Rung

TICK = 0.1


class LightDevice:
    """Does what its ladder asks for, in the order in which the device's consumer does it; notes what it does.

    Attributes:
        running: the tasks that it runs; ``most`` is how many there ever were.
        longest_held: seconds that a task waited here at most before it was started or given back.
        changes: subscriptions that it opened or closed.
    """

    def __init__(self, region: Region, slots: int) -> None:
        self.region = region
        self.slots = slots
        self.running: set[Work] = set()
        self.most = self.changes = 0
        self.longest_held = 0.0
        self._ladder = Ladder(region, Deployment(model=MODEL, tier=Tier.TINY, slots=slots))
        self._found: Callable[..., None] | None = None
        self._empty: Callable[[], None] | None = None

    def begin(self, loop: IOLoop, works: list[Work], channel: Channel) -> None:
        self._loop, self._works, self._channel = loop, works, channel
        channel.basic_qos(prefetch_count=1)
        channel.add_callback(lambda _: self._empty and self._empty(), [Basic.GetEmpty], one_shot=False)
        self._tick()

    def _tick(self) -> None:
        self._move()
        self._loop.call_later(TICK, self._tick)

    def _move(self) -> None:
        if not self._channel.is_open:  # the fleet is at its end
            return
        now = time.monotonic()
        moves = self._ladder.moves(now)
        for delivery in (*moves.start, *moves.give_back):
            self.longest_held = max(self.longest_held, now - delivery.arrived)
        for delivery in moves.start:
            self._start(delivery, now)
        for rung in moves.close:
            self._close(rung)
        for delivery in moves.give_back:
            delivery.task.returns += 1
            self._channel.basic_nack(delivery.tag, requeue=True)
        for delivery in moves.acknowledge:
            self._channel.basic_ack(delivery.tag)
        for rung in moves.open:
            self._open(rung)
        self.changes += len(moves.close) + len(moves.open)
        if moves.look:
            self._ask(moves.look)

    def _start(self, delivery: Delivery, now: float) -> None:
        assert delivery.task.started is None, "started twice"
        delivery.task.started = now
        self.running.add(delivery.task)
        self.most = max(self.most, len(self.running))
        self._loop.call_later(delivery.task.seconds, partial(self._end, delivery))

    def _end(self, delivery: Delivery) -> None:
        self.running.remove(delivery.task)
        delivery.task.ended = time.monotonic()
        self._ladder.finish(delivery, time.monotonic())
        if not self._channel.is_open:
            return
        turns = [] if self._found else self._ladder.turns(delivery, time.monotonic())
        self._ask(turns, instead=delivery.rung.home or delivery.instead, then=self._move)

    def _close(self, rung: Rung) -> None:
        # Not pika's basic_cancel, which rejects what crosses it.
        self._channel._send_method(Basic.Cancel(consumer_tag=rung.tag, nowait=True))
        rung.tag = None

    def _open(self, rung: Rung) -> None:
        rung.tag = uuid.uuid4().hex
        self._channel.basic_consume(
            rung.queue,
            lambda _c, method, _p, body: self._arrive(rung, method, body),
            consumer_tag=rung.tag,
            arguments={"x-priority": rung.priority},
        )

    def _arrive(self, rung: Rung, method: Any, body: bytes, *, instead: bool = False) -> None:
        work = self._works[int(body)]
        self._ladder.arrive(
            Delivery(rung, method.delivery_tag, work, time.monotonic(), instead=instead), work.submitted
        )
        self._move()

    def _ask(self, rungs: list[Rung], *, instead: bool = False, then: Callable[[], None] = lambda: None) -> None:
        """Ask the queues one after the other until one has a task, then go on. One look at a time."""
        if not rungs or self._found:
            then()
            return

        def found(_: Any, method: Any, __: Any, body: bytes) -> None:
            self._found = None
            self._arrive(rungs[0], method, body, instead=instead)
            then()

        def empty() -> None:
            self._found = None
            self._ask(rungs[1:], instead=instead, then=then)

        self._found, self._empty = found, empty
        self._channel.basic_get(rungs[0].queue, found)


class BrokerFleet:
    """Devices that share a thread but not a connection, and whoever submits to them. Runs while it is told to.

    Attributes:
        history: every task that was submitted.
    """

    def __init__(self, url: str, devices: Sequence[LightDevice]) -> None:
        self.devices = devices
        self.history: list[Work] = []
        self._url = url
        self._loop = IOLoop()
        self._connections: list[SelectConnection] = []
        self._closing = False
        self._publisher: Channel | None = None
        self._connect(self._set_publisher)
        for device in devices:
            self._connect(partial(device.begin, self._loop, self.history))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        for connection in self._connections:
            if connection.is_open:
                connection.close()
        self.run(10, until=lambda: all(connection.is_closed for connection in self._connections))
        self._loop.close()

    def submit(self, region: Region, seconds: float) -> None:
        work = Work(region, time.monotonic(), seconds)
        self.history.append(work)
        body, properties = str(len(self.history) - 1).encode(), pika.BasicProperties(delivery_mode=2)
        assert self._publisher
        self._publisher.basic_publish(names.INFERENCE, names.submission_key(region, MODEL), body, properties)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the devices work for so long, or until the condition holds."""
        end = time.monotonic() + seconds

        def look() -> None:
            if time.monotonic() >= end or until():
                self._loop.stop()
            else:
                self._loop.call_later(TICK, look)

        look()
        self._loop.start()

    @property
    def is_ready(self) -> bool:
        return self._publisher is not None and all(device.changes for device in self.devices)

    def waiting(self, region: Region) -> int:
        return sum(1 for work in self.history if work.region is region and work.started is None)

    def _set_publisher(self, channel: Channel) -> None:
        self._publisher = channel

    def _connect(self, on_channel: Callable[[Channel], None]) -> None:
        connection = SelectConnection(
            parameters(self._url),
            on_open_callback=lambda opened: opened.channel(on_open_callback=on_channel),
            on_open_error_callback=self._lose,
            on_close_callback=self._lose,
            custom_ioloop=self._loop,
        )
        self._connections.append(connection)

    def _lose(self, _: Any, reason: object) -> None:
        if not self._closing:
            raise ConnectionError(str(reason))
