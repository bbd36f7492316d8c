"""The ground on which everything is measured: one private RabbitMQ node, and what every benchmark needs there."""

import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pika
import psutil
from pydantic import SecretStr

from broker_config import names
from broker_config.address import parameters
from broker_config.apply import apply
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role, submitter_role
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, QueueType, device_topology, topology
from broker_config.users import grant_everything, put_user
from tasks.deployment import Deployment
from worker.enrolment import Enrolment


@dataclass(frozen=True)
class Ground:
    """A node that runs, and its RabbitMQ's version."""

    node: Node
    version: str
    vhost: str = names.VHOST

    @property
    def url(self) -> str:
        """The network's address, for the platform."""
        return self.node.url(vhost=self.vhost)

    def apart(self, vhost: str) -> Self:
        """Return the same node with a network in a virtual host of its own."""
        self.own_vhost(vhost)
        return replace(self, vhost=vhost)

    def host(self, models: Iterable[str], tier: Tier = Tier.TINY, *, ledger: bool = False) -> None:
        """Declare the network's topology with the quorum queues of these models.

        Args:
            models: their names.
            tier: that of all of them.
            ledger: whether every task and result is copied to the ledger's queue, which somebody has to read then.
        """
        whole = topology([HostedModel(model, tier) for model in models], QueueType.QUORUM)
        if not ledger:
            whole = replace(whole, bindings=tuple(b for b in whole.bindings if b.destination != names.LEDGER))
        apply(self.url, whole)

    def submitter(self) -> str:
        """Make a submitter and return its address."""
        user, password = f"submitter-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
        put_user(self.node.api, user, password, submitter_role(user), self.vhost)
        return self.node.url(user, password, self.vhost)

    def enrol(self, region: Region, deployment: Deployment, threads: int) -> Enrolment:
        """Make a device and return its enrolment."""
        user, password = f"device-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
        queues = names.task_queues(deployment.tier, deployment.model)
        apply(self.url, device_topology(user))
        put_user(self.node.api, user, password, device_role(user, queues), self.vhost)
        url = SecretStr(self.node.url(user, password, self.vhost))
        return Enrolment(device=user, region=region, url=url, deployments=[deployment], threads=threads)

    def own_vhost(self, vhost: str) -> str:
        """Make a virtual host apart from the network's, and return its address."""
        self.node.api.put_vhost(vhost)
        grant_everything(self.node.api, names.PLATFORM, vhost)
        return self.node.url(vhost=vhost)

    def purge(self, queue: str, url: str | None = None) -> None:
        """Empty a queue."""
        with pika.BlockingConnection(parameters(url or self.url)) as connection:
            connection.channel().queue_purge(queue)

    def memory(self) -> int:
        """Return the bytes of main memory that the node's processes occupy."""
        return sum(process.memory_info().rss for process in self.node.processes() if psutil.pid_exists(process.pid))


@contextmanager
def private_node() -> Iterator[Ground]:
    """Run a node in a folder of its own, bound to this process's life."""
    with tempfile.TemporaryDirectory(prefix="starai-bench-") as folder:
        node = Node(Path(folder) / "broker")
        node.start(lifeline=True)
        try:
            yield Ground(node, node.api.version())
        finally:
            node.stop()
