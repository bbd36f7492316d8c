"""pika alone as a contender: the limit. Calls one at a time are blocking, many are asynchronous."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.ground import Ground
from bench.overhead.contender import IN_FLIGHT, SLOTS, TEXT, VECTOR
from bench.peer import Peer
from bench.raw import blocking, pipelined

_VHOST = "pika"
_ONE, _MANY, _SHELF = "one", "many", "shelf"
_CALL = TEXT.encode()
_ANSWER = repr(list(VECTOR)).encode()


class RawPika:
    """Remote calls without a task format, checks or identities."""

    name = "raw pika"
    answers = True
    confirmed = True

    def __init__(self, ground: Ground, url: str) -> None:
        self._ground = ground
        self._url = url

    def round_trips(self, count: int) -> list[float]:
        """See :class:`Contender`."""
        return blocking.round_trips(self._url, _ONE, count, _CALL)

    def submit(self, count: int) -> float:
        """See :class:`Contender`."""
        taken = pipelined.submit(self._url, _SHELF, count, _CALL)
        self._ground.purge(_SHELF, self._url)
        return taken

    def complete(self, count: int) -> float:
        """See :class:`Contender`."""
        return pipelined.complete(self._url, _MANY, count, _CALL, IN_FLIGHT)


@contextmanager
def raw_pika(ground: Ground) -> Iterator[RawPika]:
    """Start a blocking and an asynchronous answerer in a virtual host of their own."""
    url = ground.own_vhost(_VHOST)
    blocking.declare(url, _ONE, _MANY, _SHELF)
    one = Peer(blocking.answer_calls, url, _ONE, _ANSWER, SLOTS)
    many = Peer(pipelined.answer_calls, url, _MANY, _ANSWER, SLOTS)
    with one, many:
        yield RawPika(ground, url)
