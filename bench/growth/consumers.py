"""Many consumers of one queue, each of prefetch 1 with a priority of its own, as ladders have them. A peer."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel

from bench.peer import Control
from bench.raw.messages import reply
from broker_config.address import parameters

#: The body of a call that a consumer keeps until it is told to release; every other is acknowledged at once.
HOLD = b"hold"
#: What the peer is told: acknowledge what is held, renew so many subscriptions.
RELEASE, RESUBSCRIBE = "release", "resubscribe"

_PER_CHANNEL = 100
_HIGHEST = 127


def priorities(count: int) -> list[int]:
    """Return that many priorities, spread evenly from 0 to 127, the highest first."""
    return [_HIGHEST - position * (_HIGHEST + 1) // count for position in range(count)]


def placed_well(taken_by: Sequence[int], offered: Sequence[int]) -> float:
    """Return the share of tasks that the best consumers got, by the priorities of those that took one each."""
    best = sorted(offered, reverse=True)[: len(taken_by)]
    left = list(best)
    for priority in taken_by:
        if priority in left:
            left.remove(priority)
    return 1.0 - len(left) / len(best)


def consume(control: Control, url: str, queue: str, count: int) -> None:
    """Hold that many consumers of a queue and answer each call with the consumer's priority."""
    loop = _Consumers(control, url, queue, priorities(count))
    control.listen(loop.on_order)
    loop.run()


class _Consumers:
    """The consumers, on one connection; everything but :meth:`on_order` runs on its loop."""

    def __init__(self, control: Control, url: str, queue: str, offered: Sequence[int]) -> None:
        self._control = control
        self._queue = queue
        self._offered = list(offered)
        self._left = len(offered)
        self._held: list[tuple[Channel, int]] = []
        self._channels: list[Channel] = []
        self._connection = SelectConnection(parameters(url), on_open_callback=self._on_open)

    def run(self) -> None:
        self._connection.ioloop.start()

    def on_order(self, order: tuple[str, int]) -> None:
        """Do as the benchmark says, and say when it is done."""
        what, count = order
        work = self._release if what == RELEASE else lambda: self._resubscribe(count, time.perf_counter())
        self._connection.ioloop.add_callback_threadsafe(work)

    def _on_open(self, connection: Any) -> None:
        for _ in range(0, len(self._offered), _PER_CHANNEL):
            connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        begin = len(self._channels) * _PER_CHANNEL
        self._channels.append(channel)
        channel.basic_qos(prefetch_count=1)
        for priority in self._offered[begin : begin + _PER_CHANNEL]:
            self._subscribe(channel, priority, self._stand)

    def _subscribe(self, channel: Channel, priority: int, stand: Callable[[], None]) -> str:
        def on_call(_: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
            channel.basic_publish("", properties.reply_to or "", str(priority).encode(), reply(properties))
            if body == HOLD:
                self._held.append((channel, method.delivery_tag))
            else:
                channel.basic_ack(method.delivery_tag)

        arguments = {"x-priority": priority}
        return channel.basic_consume(self._queue, on_call, arguments=arguments, callback=lambda _: stand())

    def _stand(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._control.say("ready")

    def _release(self) -> None:
        for channel, tag in self._held:
            channel.basic_ack(tag)
        self._held.clear()
        self._control.say("released")

    def _resubscribe(self, left: int, begun: float) -> None:
        """Consume and cancel once more, one after the other, then say how many seconds it took."""
        if left == 0:
            self._control.say(time.perf_counter() - begun)
            return
        channel = self._channels[left % len(self._channels)]

        def cancel() -> None:
            channel.basic_cancel(tag, callback=lambda _: self._resubscribe(left - 1, begun))

        tag = self._subscribe(channel, left % (_HIGHEST + 1), cancel)
