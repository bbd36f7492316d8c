"""The network as a contender: its library, its device, and a model that does nothing."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bench.ground import Ground
from bench.null_device import null_device
from bench.overhead.contender import IN_FLIGHT, SLOTS, TEXT
from bench.peer import Peer
from bench.recorder.process import recorder
from broker_config.names import task_queue
from broker_config.regions import Region
from broker_config.tiers import Tier
from starai import Client
from tasks.deployment import Deployment

_HOME = Region.ASIA
#: A model that a device hosts, and one that is hosted by none: its tasks stay where they are.
_SERVED, _SHELF = "nothing", "shelf"
_DEPLOYMENT = Deployment(model=_SERVED, tier=Tier.TINY, slots=SLOTS)


class Network:
    """Tasks through ``starai.Client`` to a device."""

    answers = True
    confirmed = True

    def __init__(self, name: str, ground: Ground) -> None:
        self.name = name
        self._ground = ground
        self._url = ground.submitter()

    def round_trips(self, count: int) -> list[float]:
        """See :class:`Contender`."""
        taken = []
        with Client(self._url, region=_HOME) as client:
            for _ in range(count):
                begun = time.perf_counter()
                client.submit(_SERVED, TEXT).result(10.0)
                taken.append(time.perf_counter() - begun)
        return taken

    def submit(self, count: int) -> float:
        """See :class:`Contender`."""
        with Client(self._url, region=_HOME) as client:
            begun = time.perf_counter()
            client.submit_many(_SHELF, [TEXT] * count)
            taken = time.perf_counter() - begun
        self._ground.purge(task_queue(_HOME, Tier.TINY, _SHELF), self._ground.url)
        return taken

    def complete(self, count: int) -> float:
        """See :class:`Contender`."""
        with Client(self._url, region=_HOME) as client:
            begun = time.perf_counter()
            deque(client.map(_SERVED, [TEXT] * count, batch=1, in_flight=IN_FLIGHT), maxlen=0)
            return time.perf_counter() - begun


@contextmanager
def network(ground: Ground) -> Iterator[Network]:
    """Start a device that hosts a model which does nothing; nobody keeps a ledger."""
    ground.host([_SERVED, _SHELF])
    with Peer(null_device, ground.enrol(_HOME, _DEPLOYMENT, threads=1)):
        yield Network("StarAI", ground)


@contextmanager
def recorded_network(ground: Ground) -> Iterator[Network]:
    """Start the same with the ledger's queue bound and its recorder at work, on a network apart."""
    apart = ground.apart("recorded")
    apart.host([_SERVED, _SHELF], ledger=True)
    enrolment = apart.enrol(_HOME, _DEPLOYMENT, threads=1)
    with recorder(apart.url, {enrolment.device: _DEPLOYMENT}), Peer(null_device, enrolment):
        yield Network("StarAI, recorded", apart)
