"""A simulated device that subscribes as a stock Celery worker does: one consumer a queue, prefetch = slots."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

from bench.placement.fleet import Machine
from bench.placement.hands import Hands, Work


class StockDevice:
    """Runs as many tasks as it has slots; what it prefetched beyond them waits with it."""

    def __init__(self, loop: IOLoop, channel: Channel, machine: Machine, queues: Sequence[str]) -> None:
        self._channel = channel
        self._hands = Hands(loop, channel, machine)
        self._free = machine.slots
        self._waiting: deque[tuple[int, Work]] = deque()
        channel.basic_qos(prefetch_count=machine.slots)
        for queue in queues:
            channel.basic_consume(queue, self._arrive)

    def _arrive(self, _: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._waiting.append((method.delivery_tag, Work.read(properties, body)))
        self._start()

    def _start(self) -> None:
        while self._free and self._waiting:
            tag, work = self._waiting.popleft()
            self._free -= 1
            self._hands.do(work, partial(self._ended, tag))

    def _ended(self, tag: int) -> None:
        self._free += 1
        self._channel.basic_ack(tag)
        self._start()
