"""Publishing and calling with many under way, over one asynchronous connection."""

import time
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel

from bench.errors import BenchError
from bench.peer import Control
from bench.raw.messages import persistent, reply
from broker_config.address import parameters

# Messages published before the loop looks at what has arrived.
_BURST = 100
_TIMEOUT = 60.0

#: Sets its work going on a channel; it calls the second function as the time begins, the third as it ends.
Work = Callable[[Channel, Callable[[], None], Callable[[], None]], None]


def submit(url: str, queue: str, count: int, body: bytes) -> float:
    """Publish with confirms and return the seconds until the broker has confirmed all."""

    def work(channel: Channel, begin: Callable[[], None], end: Callable[[], None]) -> None:
        loop: Any = channel.connection.ioloop  # type: ignore[attr-defined] # a select connection's
        unconfirmed, lowest = set(range(1, count + 1)), 1

        def on_confirmed(frame: Any) -> None:
            nonlocal lowest
            if isinstance(frame.method, pika.spec.Basic.Nack):
                raise BenchError(f"The broker refused a message for {queue}: what is measured would not be a success.")
            unconfirmed.discard(frame.method.delivery_tag)
            while frame.method.multiple and lowest <= frame.method.delivery_tag:
                unconfirmed.discard(lowest)
                lowest += 1
            if not unconfirmed:
                end()

        def publish(left: int) -> None:
            for _ in range(min(left, _BURST)):
                channel.basic_publish("", queue, body, persistent())
            if left > _BURST:
                loop.add_callback_threadsafe(lambda: publish(left - _BURST))

        channel.confirm_delivery(on_confirmed)
        begin()
        publish(count)

    return timed(url, work)


def complete(url: str, queue: str, count: int, body: bytes, in_flight: int) -> float:
    """Call with at most that many under way, and return the seconds until the last answer."""

    def work(channel: Channel, begin: Callable[[], None], end: Callable[[], None]) -> None:
        sent = answered = 0

        def call(reply_to: str) -> None:
            nonlocal sent
            sent += 1
            channel.basic_publish("", queue, body, persistent(reply_to))

        def on_answer(reply_to: str) -> None:
            nonlocal answered
            answered += 1
            if sent < count:
                call(reply_to)
            if answered == count:
                end()

        def on_declared(frame: Any) -> None:
            reply_to = frame.method.queue
            channel.basic_consume(reply_to, lambda *_: on_answer(reply_to), auto_ack=True)
            begin()
            for _ in range(min(count, in_flight)):
                call(reply_to)

        channel.queue_declare("", exclusive=True, callback=on_declared)

    return timed(url, work)


def timed(url: str, work: Work) -> float:
    """Do the work on a connection of its own and return the seconds from its beginning to its end.

    Raises:
        BenchError: it did not end in time, or the connection was lost.
    """
    times: list[float] = []
    reasons: list[object] = []

    def stop(reason: object) -> None:
        reasons.append(reason)
        connection.ioloop.stop()

    def tick() -> None:
        times.append(time.perf_counter())

    def end() -> None:
        tick()
        connection.close()

    connection = SelectConnection(
        parameters(url),
        on_open_callback=lambda opened: opened.channel(on_open_callback=lambda channel: work(channel, tick, end)),
        on_open_error_callback=lambda _, error: stop(error),
        on_close_callback=lambda _, reason: stop(reason),
    )
    connection.ioloop.call_later(_TIMEOUT, lambda: stop(f"not done within {_TIMEOUT:g} s"))
    connection.ioloop.start()
    connection.ioloop.close()
    if len(times) != 2:
        raise BenchError(f"A measurement with pika ended early: {reasons[0]}.")
    return times[1] - times[0]


def answer_calls(control: Control, url: str, queue: str, body: bytes, prefetch: int) -> None:
    """Answer every call on a queue with that body, until the benchmark ends. The target of a peer."""

    def on_call(channel: Channel, method: Any, properties: pika.BasicProperties, _: bytes) -> None:
        channel.basic_publish("", properties.reply_to or "", body, reply(properties))
        channel.basic_ack(method.delivery_tag)

    def on_channel(channel: Channel) -> None:
        channel.basic_qos(prefetch_count=prefetch)
        channel.basic_consume(queue, on_call, callback=lambda _: control.say("ready"))

    control.listen(lambda _: None)
    connection = SelectConnection(
        parameters(url), on_open_callback=lambda opened: opened.channel(on_open_callback=on_channel)
    )
    connection.ioloop.start()
