"""A simulated device that subscribes as a real one does: the worker's ladder makes every decision."""

import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.spec import Basic

from bench.placement.fleet import Machine
from bench.placement.hands import Hands, Work
from tasks.deployment import Deployment
from worker.ladder import Ladder
from worker.rung import Delivery, Rung

# Seconds between two looks at what is due, when nothing happens: the device's own.
_TICK = 0.1


class LadderDevice:
    """Does what its ladder asks for, in the order in which the device's consumer does it."""

    def __init__(self, loop: IOLoop, channel: Channel, machine: Machine, deployment: Deployment) -> None:
        self._loop = loop
        self._channel = channel
        self._hands = Hands(loop, channel, machine)
        self._ladder = Ladder(machine.region, deployment)
        self._found: Callable[[Any, Any, bytes], None] | None = None
        self._empty: Callable[[], None] | None = None
        channel.basic_qos(prefetch_count=1)
        channel.add_callback(lambda _: self._on_empty(), [Basic.GetEmpty], one_shot=False)
        self._tick()

    def _tick(self) -> None:
        self._move()
        self._loop.call_later(_TICK, self._tick)

    def _move(self) -> None:
        moves = self._ladder.moves(time.monotonic())
        for delivery in moves.start:
            self._hands.do(delivery.task, partial(self._ended, delivery))
        for rung in moves.close:
            self._close(rung)
        for delivery in moves.give_back:
            self._channel.basic_nack(delivery.tag, requeue=True)
        for delivery in moves.acknowledge:
            self._channel.basic_ack(delivery.tag)
        for rung in moves.open:
            self._open(rung)
        if moves.look:
            self._look(moves.look, instead=False, then=lambda: None)

    def _open(self, rung: Rung) -> None:
        rung.tag = uuid.uuid4().hex
        self._channel.basic_consume(
            rung.queue,
            lambda _c, method, properties, body: self._arrive(rung, method, properties, body),
            consumer_tag=rung.tag,
            arguments={"x-priority": rung.priority},
        )

    def _close(self, rung: Rung) -> None:
        # Not pika's basic_cancel, which rejects what crosses it; the ladder hands that back with a nack.
        self._channel._send_method(  # type: ignore[attr-defined]
            Basic.Cancel(consumer_tag=rung.tag, nowait=True)
        )
        rung.tag = None

    def _arrive(
        self, rung: Rung, method: Any, properties: pika.BasicProperties, body: bytes, *, instead: bool = False
    ) -> None:
        work = Work.read(properties, body)
        delivery = Delivery(rung, method.delivery_tag, work, time.monotonic(), instead=instead)
        self._ladder.arrive(delivery, work.submitted)
        self._move()

    def _ended(self, delivery: Delivery) -> None:
        self._ladder.finish(delivery, time.monotonic())
        turns = [] if self._found else self._ladder.turns(delivery, time.monotonic())
        self._look(turns, instead=delivery.rung.home or delivery.instead, then=self._move)

    def _look(self, rungs: Sequence[Rung], *, instead: bool, then: Callable[[], None]) -> None:
        """Ask the queues one after the other until one has a task; then go on. One look at a time."""
        if not rungs or self._found:
            return then()
        rung = rungs[0]

        def found(method: Any, properties: Any, body: bytes) -> None:
            self._found = None
            self._arrive(rung, method, properties, body, instead=instead)
            then()

        def empty() -> None:
            self._found = None
            self._look(rungs[1:], instead=instead, then=then)

        self._found, self._empty = found, empty
        self._channel.basic_get(rung.queue, lambda _c, method, properties, body: found(method, properties, body))
        return None

    def _on_empty(self) -> None:
        if self._empty:
            self._empty()
