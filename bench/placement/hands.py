"""What every simulated device does: it works by waiting, in real time, and answers over its own connection."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel

from bench.placement.fleet import Machine
from bench.raw.messages import reply
from broker_config.address import parameters


@dataclass(frozen=True)
class Work:
    """A task as a simulated device reads it: its work, when it was submitted (Unix time), who wants the answer."""

    work: float
    submitted: float
    properties: pika.BasicProperties

    @classmethod
    def read(cls, properties: pika.BasicProperties, body: bytes) -> "Work":
        """Read a message that :func:`body_of` wrote."""
        work, submitted = json.loads(body)
        return cls(work, submitted, properties)


def body_of(work: float) -> bytes:
    """Return the body of a task that is submitted now."""
    return json.dumps((work, time.time())).encode()


class Hands:
    """One device's work: ``work / speed`` seconds for each task, and the answer, which says from where it comes."""

    def __init__(self, loop: IOLoop, channel: Channel, machine: Machine) -> None:
        self.channel = channel
        self._loop = loop
        self._machine = machine

    def do(self, work: Work, ended: Callable[[], None]) -> None:
        """Begin a task; ``ended`` is called when it is done and answered."""
        self._loop.call_later(work.work / self._machine.speed, lambda: self._end(work, ended))

    def _end(self, work: Work, ended: Callable[[], None]) -> None:
        to, body = work.properties.reply_to or "", self._machine.region.encode()
        self.channel.basic_publish("", to, body, reply(work.properties))
        ended()


def connect(loop: IOLoop, url: str, on_channel: Callable[[Channel], None]) -> None:
    """Open a connection of its own for a device; a peer whose connection is lost ends."""

    def lost(_: Any, reason: object) -> None:
        raise ConnectionError(str(reason))

    SelectConnection(
        parameters(url),
        on_open_callback=lambda opened: opened.channel(on_open_callback=on_channel),
        on_open_error_callback=lost,
        on_close_callback=lost,
        custom_ioloop=loop,
    )
