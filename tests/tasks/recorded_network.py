"""A network at a real broker of which nobody does anything: its submitter and devices say what a test wants said."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Engine
from sqlmodel import select

from broker_config import names
from broker_config.link import Link
from broker_config.publication import Publication
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import reading, session
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.owners import add_owner
from registry.task_tables import Task
from starai.report import report_publication
from starai.submission import publication, submission
from starai.tensor import pack
from starai.wire import Report, State
from tests.conftest import MINILM

REPLY = "reply.ada-1"
QUEUE = names.task_queue(Region.ASIA, Tier.TINY, MINILM.name)
OUTPUT = pack(np.zeros(4, np.float32))


def fill(engine: Engine) -> None:
    """Let `device-1` host the model, and `device-9` nothing."""
    with session(engine) as registry:
        add_owner(registry, "ada")
        for device in ("device-1", "device-9"):
            enrol_device(registry, device, "ada", Region.ASIA)
        deploy(registry, "device-1", [Planned(MINILM.name, Tier.TINY)])


@dataclass(frozen=True)
class RecordedNetwork:
    """The submitter `ada`, two devices and the platform, each on a link of its own."""

    links: dict[str, Link]

    def submit(self, count: int = 1) -> list[str]:
        """Submit tasks and return their ids."""
        tasks = [submission(MINILM.name, "a text", Region.ASIA, 600) for _ in range(count)]
        self.send("ada", [publication(task, "ada", REPLY) for task in tasks])
        return [task.task for task in tasks]

    def report(self, tasks: Sequence[str], state: State, device: str | None = "device-1", **more: Any) -> None:
        """Let a device, or the platform, report the same of some tasks."""
        user, now = device or names.PLATFORM, time.time()
        output = OUTPUT if state is State.SUCCEEDED else None
        fields = {
            "at": now,
            "started": now,
            "output": output,
            "run": "run" if device else None,
            "device": device,
        } | more
        reports = [Report(task=task, state=state, **fields) for task in tasks]
        self.send(user, [report_publication(report, REPLY, user) for report in reports])

    def live(self, count: int) -> list[str]:
        """Let tasks be submitted, started and done."""
        tasks = self.submit(count)
        self.report(tasks, State.STARTED)
        self.report(tasks, State.SUCCEEDED)
        return tasks

    def send(self, user: str, publications: Sequence[Publication]) -> None:
        """Publish as somebody, and wait until the broker has it all."""
        self.links[user].publish_all(publications)
        for one in publications:
            one.confirmed.result(30)


@contextmanager
def network(broker: Any) -> Iterator[RecordedNetwork]:
    """Connect everybody to a test's broker."""
    urls = {"ada": broker.submitter("ada"), names.PLATFORM: broker.url()}
    urls |= {device: broker.device(device) for device in ("device-1", "device-9")}
    links = {user: Link(url, user) for user, url in urls.items()}
    for link in links.values():
        link.open(10)
    yield RecordedNetwork(links)
    for link in links.values():
        link.close()


def rows(engine: Engine, table: Any) -> list[Any]:
    """Return everything in a table."""
    with reading(engine) as registry:
        return list(registry.exec(select(table)))


def states(engine: Engine) -> Counter[str]:
    """Return how many tasks are in which state."""
    return Counter(str(task.state) for task in rows(engine, Task))
