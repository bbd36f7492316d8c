"""Stock Celery as a contender: its defaults, a thread pool, results by its RPC backend."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from bench.ground import Ground
from bench.overhead.contender import IN_FLIGHT, SLOTS, TEXT, VECTOR
from bench.peer import Control, Peer

_VHOST = "celery"
_SHELF = "shelf"


class StockCelery:
    """Tasks through ``apply_async`` to a Celery worker."""

    name = "Celery"
    answers = True
    confirmed = False

    def __init__(self, ground: Ground, url: str) -> None:
        self._ground = ground
        self._url = url
        self._task = _app(url).tasks["nothing"]

    def round_trips(self, count: int) -> list[float]:
        """See :class:`Contender`."""
        taken = []
        for _ in range(count):
            begun = time.perf_counter()
            self._task.apply_async((TEXT,)).get(10.0)
            taken.append(time.perf_counter() - begun)
        return taken

    def submit(self, count: int) -> float:
        """See :class:`Contender`."""
        begun = time.perf_counter()
        for _ in range(count):
            self._task.apply_async((TEXT,), queue=_SHELF)
        taken = time.perf_counter() - begun
        self._ground.purge(_SHELF, self._url)
        return taken

    def complete(self, count: int) -> float:
        """See :class:`Contender`."""
        under_way: deque[Any] = deque()
        begun = time.perf_counter()
        for _ in range(count):
            if len(under_way) == IN_FLIGHT:
                under_way.popleft().get(10.0)
            under_way.append(self._task.apply_async((TEXT,)))
        for result in under_way:
            result.get(10.0)
        return time.perf_counter() - begun


@contextmanager
def stock_celery(ground: Ground) -> Iterator[StockCelery]:
    """Start a worker in a virtual host of its own."""
    url = ground.own_vhost(_VHOST)
    with Peer(_work, url):
        yield StockCelery(ground, url)


def _app(url: str) -> Any:
    app = Celery("stock", broker=url, backend="rpc://", set_as_current=False)

    def nothing(text: str) -> list[float]:  # noqa: ARG001 - what a task carries
        return list(VECTOR)

    app.task(name="nothing")(nothing)
    return app


def _work(control: Control, url: str) -> None:
    app = _app(url)

    def ready(**_: Any) -> None:
        control.say("ready")

    worker_ready.connect(ready)
    control.listen(lambda _: None)
    app.worker_main(["worker", "--pool", "threads", "--concurrency", str(SLOTS), "--loglevel", "ERROR"])
