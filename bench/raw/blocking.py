"""Calls one at a time, over blocking connections on both sides."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pika
from pika.adapters.blocking_connection import BlockingChannel

from bench.errors import BenchError
from bench.peer import Control
from bench.raw.messages import persistent, reply
from broker_config.address import parameters

_TIMEOUT = 60.0


def declare(url: str, *queues: str) -> None:
    """Declare durable quorum queues."""
    with pika.BlockingConnection(parameters(url)) as connection:
        channel = connection.channel()
        for queue in queues:
            channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})


def answer_calls(control: Control, url: str, queue: str, body: bytes, prefetch: int) -> None:
    """Answer every call on a queue with that body, until the benchmark ends. The target of a peer."""
    with pika.BlockingConnection(parameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=prefetch)

        def on_call(
            channel: BlockingChannel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, _: bytes
        ) -> None:
            channel.basic_publish("", properties.reply_to or "", body, reply(properties))
            channel.basic_ack(method.delivery_tag or 0)

        channel.basic_consume(queue, on_call)
        control.listen(lambda _: None)
        control.say("ready")
        channel.start_consuming()


def round_trips(url: str, queue: str, count: int, body: bytes) -> list[float]:
    """Call one at a time, and return the seconds that each call took."""
    taken = []
    with _caller(url, queue) as call:
        for _ in range(count):
            begun = time.perf_counter()
            call(body)
            taken.append(time.perf_counter() - begun)
    return taken


@contextmanager
def _caller(url: str, queue: str) -> Iterator[Callable[[bytes], None]]:
    with pika.BlockingConnection(parameters(url)) as connection:
        channel = connection.channel()
        answers: list[bytes] = []
        reply_to = channel.queue_declare("", exclusive=True).method.queue
        channel.basic_consume(reply_to, lambda _c, _m, _p, body: answers.append(body), auto_ack=True)

        def call(body: bytes) -> None:
            channel.basic_publish("", queue, body, persistent(reply_to))
            deadline = time.monotonic() + _TIMEOUT
            while not answers:
                connection.process_data_events(time_limit=1)
                if time.monotonic() > deadline:
                    raise BenchError(f"Nobody answered on {queue} within {_TIMEOUT:g} s.")
            answers.clear()

        yield call
