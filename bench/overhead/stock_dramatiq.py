"""dramatiq as a contender: its defaults, and no results."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.ground import Ground
from bench.overhead.contender import SLOTS, TEXT, VECTOR
from bench.peer import Control, Peer

_VHOST = "dramatiq"
_SHELF = "shelf"


class StockDramatiq:
    """Messages through an actor's ``send`` to a dramatiq worker."""

    name = "dramatiq"
    answers = False
    confirmed = False

    def __init__(self, ground: Ground, url: str, worker: Peer) -> None:
        self._ground = ground
        self._url = url
        self._worker = worker
        self._broker = RabbitmqBroker(url=url)
        self._nothing = dramatiq.actor(actor_name="nothing", broker=self._broker)(_nothing)
        self._shelf = dramatiq.actor(actor_name="shelf", queue_name=_SHELF, broker=self._broker)(_nothing)

    def round_trips(self, count: int) -> list[float]:  # noqa: ARG002
        """There are none without results."""
        return []

    def submit(self, count: int) -> float:
        """See :class:`Contender`."""
        begun = time.perf_counter()
        for _ in range(count):
            self._shelf.send(TEXT)
        taken = time.perf_counter() - begun
        self._ground.purge(_SHELF, self._url)
        return taken

    def complete(self, count: int) -> float:
        """See :class:`Contender`."""
        self._worker.ask(count)
        begun = time.perf_counter()
        for _ in range(count):
            self._nothing.send(TEXT)
        self._worker.hear()
        return time.perf_counter() - begun

    def close(self) -> None:
        """Disconnect."""
        self._broker.close()


@contextmanager
def stock_dramatiq(ground: Ground) -> Iterator[StockDramatiq]:
    """Start a worker in a virtual host of its own."""
    url = ground.own_vhost(_VHOST)
    with Peer(_work, url) as worker:
        contender = StockDramatiq(ground, url, worker)
        yield contender
        contender.close()


def _nothing(text: str) -> tuple[float, ...]:  # noqa: ARG001 - what a message carries
    return VECTOR


class _Counter:
    """Says so when as many tasks are done as were announced."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._left = 0

    def expect(self, count: int) -> None:
        with self._lock:
            self._left = count
        self._control.say("expecting")

    def nothing(self, text: str) -> None:
        _nothing(text)
        with self._lock:
            self._left -= 1
            done = self._left == 0
        if done:
            self._control.say("done")


def _work(control: Control, url: str) -> None:
    broker = RabbitmqBroker(url=url)
    counter = _Counter(control)
    dramatiq.actor(actor_name="nothing", broker=broker)(counter.nothing)
    worker: Any = dramatiq.Worker(broker, worker_threads=SLOTS)
    worker.start()
    control.listen(counter.expect)
    control.say("ready")
    threading.Event().wait()
