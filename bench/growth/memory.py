"""What a waiting task costs in main memory, at the broker and in its submitter."""

from dataclasses import dataclass
from queue import SimpleQueue

import psutil

from bench.ground import Ground
from bench.peer import Control, Peer
from broker_config.regions import Region
from starai import Client

_HOME = Region.ASIA
_TEXT = "A sentence of ordinary length, as people write them when they want one embedded."


@dataclass(frozen=True)
class Waiting:
    """So many tasks wait; bytes that each of them takes."""

    tasks: int
    at_broker: float
    in_client: float


def measure_waiting(ground: Ground, model: str, counts: tuple[int, ...]) -> list[Waiting]:
    """Let tasks of a model that no device serves pile up to each of the counts, from one client."""
    with Peer(_submit, ground.submitter(), model) as submitter:
        submitter.ask(100)  # what the first tasks allocate is not theirs
        waiting, before, client_before = 0, ground.memory(), _memory(submitter.pid)
        found = []
        for count in counts:
            submitter.ask(count - waiting)
            waiting = count
            at_broker, in_client = ground.memory() - before, _memory(submitter.pid) - client_before
            found.append(Waiting(count, at_broker / count, in_client / count))
        return found


def _submit(control: Control, url: str, model: str) -> None:
    """Submit as many tasks as is asked for, and keep their jobs. The target of a peer."""
    jobs = []
    orders: SimpleQueue[int] = SimpleQueue()
    control.listen(orders.put)
    with Client(url, region=_HOME) as client:
        control.say("ready")
        while True:
            jobs += client.submit_many(model, [_TEXT] * orders.get())
            control.say(len(jobs))


def _memory(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)
