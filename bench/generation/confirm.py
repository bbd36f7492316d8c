"""One round trip to the broker: a message of a prompt's size, to its confirm."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pika

from bench.ground import Ground
from bench.raw.blocking import declare
from bench.raw.messages import persistent
from broker_config.address import parameters

_QUEUE = "shelf-of-confirms"
_BODY = bytes(1000)


@contextmanager
def round_trips(ground: Ground) -> Iterator[Callable[[int], list[float]]]:
    """Return what makes round trips one by one, and returns the seconds of each; a quorum queue takes the messages."""
    declare(ground.url, _QUEUE)
    wanted = parameters(ground.url)
    wanted.heartbeat = 0  # it is left alone while texts are made
    with pika.BlockingConnection(wanted) as connection:
        channel = connection.channel()
        channel.confirm_delivery()

        def trips(count: int) -> list[float]:
            taken = []
            for _ in range(count):
                begun = time.perf_counter()
                channel.basic_publish("", _QUEUE, _BODY, persistent())
                taken.append(time.perf_counter() - begun)
            return taken

        yield trips
