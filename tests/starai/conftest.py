"""A tiny device that answers on a real broker, and clients of it."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pika
import pytest
from pika.exceptions import AMQPError

from broker_config import names
from broker_config.address import parameters, user_of
from broker_config.publication import Publication
from broker_config.regions import Region
from broker_config.tiers import Tier
from starai import Client
from starai.report import report_publication
from starai.tensor import pack
from starai.wire import Report, State

QUEUES = tuple(names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region)


def vector(text: str) -> list[float]:
    """What the tiny device answers to a text: its length and its first letter."""
    return [len(text), ord(text[0]) if text else 0]


@dataclass(frozen=True)
class Asked:
    """A task as the tiny device got it."""

    device: str
    id: str
    reply_to: str
    inputs: str | list[str]

    def report(self, state: State, **more: Any) -> Report:
        return Report(**{"task": self.id, "state": state, "at": time.time(), "device": self.device} | more)

    def say(self, state: State, **more: Any) -> Publication:
        return report_publication(self.report(state, **more), self.reply_to, self.device)

    def raw(self, body: bytes, **properties: Any) -> Publication:
        """Return a message of any content for who asked."""
        return Publication(
            names.RESULTS, names.result_key(self.reply_to, "succeeded"), body, pika.BasicProperties(**properties)
        )

    def succeeded(self, **more: Any) -> Publication:
        rows = [vector(text) for text in ([self.inputs] if isinstance(self.inputs, str) else self.inputs)]
        array = np.array(rows[0] if isinstance(self.inputs, str) else rows, np.float32)
        return self.say(State.SUCCEEDED, output=pack(array), **more)


Answer = Callable[[Asked], Iterable[Publication]]


class TinyDevice:
    """Consumes task queues with plain pika, and publishes what ``answer`` returns for each task."""

    def __init__(self, url: str, answer: Answer, queues: Sequence[str]) -> None:
        self.id = user_of(url)
        self._queues = queues
        self.asked: list[Asked] = []
        self._parameters = parameters(url)
        self._answer = answer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            with suppress(AMQPError), pika.BlockingConnection(self._parameters) as connection:
                channel = connection.channel()
                channel.basic_qos(prefetch_count=1)
                for queue in self._queues:
                    channel.basic_consume(queue, self._on_task)
                while not self._stop.is_set():
                    connection.process_data_events(0.02)

    def _on_task(self, channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        asked = Asked(self.id, properties.headers["id"], properties.reply_to, json.loads(body)[1]["inputs"])
        self.asked.append(asked)
        for publication in self._answer(asked):
            channel.basic_publish(publication.exchange, publication.key, publication.body, publication.properties)
        channel.basic_ack(method.delivery_tag)


def answers(asked: Asked) -> Sequence[Publication]:
    """Answer as a good device does."""
    return asked.say(State.STARTED), asked.succeeded()


@pytest.fixture
def start_device() -> Iterator[Callable[..., TinyDevice]]:
    """Return a function that starts a tiny device at a broker; it answers well unless told otherwise."""
    devices: list[TinyDevice] = []

    def start(
        broker: Any, answer: Answer = answers, name: str = "tiny-device", queues: Sequence[str] = QUEUES
    ) -> TinyDevice:
        devices.append(TinyDevice(broker.device(name, *queues), answer, queues))
        return devices[-1]

    yield start
    for device in devices:
        device.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Return a function that makes a client of a broker, as a submitter of its own."""
    clients: list[Client] = []

    def connected(broker: Any, name: str | None = None, **options: Any) -> Client:
        clients.append(Client(broker.submitter(name), **{"region": "asia", "timeout": 10.0} | options))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def device(broker: Any, start_device: Callable[..., TinyDevice]) -> TinyDevice:
    """A tiny device that answers well."""
    return start_device(broker)


@pytest.fixture
def client(broker: Any, connect: Callable[..., Client]) -> Client:
    """A client in Asia."""
    return connect(broker)
