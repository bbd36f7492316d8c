"""What every test may use: a real RabbitMQ node of its own process, and a virtual host of its own."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pika
import psutil
import pytest
from hypothesis import settings
from pika.adapters.blocking_connection import BlockingChannel

from broker_config import names
from broker_config.address import parameters
from broker_config.apply import apply
from broker_config.node import Node
from broker_config.roles import Role, device_role, submitter_role
from broker_config.settings import BrokerSettings
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, Limits, device_topology, topology
from broker_config.users import grant_everything, put_user

# A busy machine makes single examples slow; that is no failure.
settings.register_profile("starai", deadline=None)
settings.load_profile("starai")

#: The models whose task queues stand in every test's virtual host.
MINILM = HostedModel("all-minilm-l6-v2", Tier.TINY, is_default=True)


def idle(url: str) -> pika.URLParameters:
    """Return the parameters of a connection that a test leaves alone for as long as it likes."""
    wanted = parameters(url)
    wanted.heartbeat = 0  # pika's blocking connection answers heartbeats only while it is called
    return wanted


@dataclass(frozen=True)
class Broker:
    """A virtual host of a real node, with the network's topology in it."""

    node: Node
    vhost: str

    def url(self, user: str = names.PLATFORM, password: str | None = None) -> str:
        """Return this virtual host's address."""
        return self.node.url(user, password, self.vhost)

    def apply(self, models: Iterable[HostedModel] = (MINILM,), limits: Limits = Limits()) -> None:
        """Declare the topology."""
        apply(self.url(), topology(models, BrokerSettings().queue_type, limits))

    def user(self, name: str, role: Role) -> str:
        """Make a user with that role and return its address."""
        put_user(self.node.api, name, "secret-of-" + name, role, self.vhost)
        return self.url(name, "secret-of-" + name)

    def submitter(self, name: str | None = None) -> str:
        """Make a submitter and return its address."""
        user = name or f"submitter-{secrets.token_hex(4)}"
        return self.user(user, submitter_role(user))

    def device(self, name: str, *queues: str) -> str:
        """Make a device's control queue, and its user that may read these queues, and return its address."""
        apply(self.url(), device_topology(name))
        return self.user(name, device_role(name, queues))

    @contextmanager
    def channel(self, url: str | None = None) -> Iterator[BlockingChannel]:
        """Open a plain channel, as the platform unless another address is given."""
        with pika.BlockingConnection(idle(url or self.url())) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel

    def depth(self, queue: str) -> int:
        """Return how many messages of a queue are ready."""
        with self.channel() as channel:
            return channel.queue_declare(queue, passive=True).method.message_count


#: Fixtures that start processes: what asks for one of them is marked so.
_PROCESSES = {"node", "own_node", "postgres", "minilm", "starai", "evaluated"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes; the others take seconds in all (``make unit``)."""
    for item in items:
        if _PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.process)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the network, the home or the region of whoever runs it."""
    for name in ("STARAI_BROKER_URL", "STARAI_DATABASE_URL", "STARAI_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STARAI_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One node for all tests of a test process that do not harm it."""
    node = Node(tmp_path_factory.mktemp("node"))
    node.start(lifeline=True)
    yield node
    node.stop()


@pytest.fixture
def own_node(tmp_path: Path) -> Iterator[Node]:
    """A node that the test may stop, freeze or kill."""
    node = Node(tmp_path / "node")
    node.start(lifeline=True)
    yield node
    kill(node)
    node.stop()


@pytest.fixture
def own_broker(own_node: Node) -> Broker:
    """The virtual host of a node that the test may stop, freeze or kill, with the network's topology."""
    broker = Broker(own_node, names.VHOST)
    broker.apply()
    return broker


@pytest.fixture
def crash() -> Callable[[Node], None]:
    """Return a function that kills every process of a node at once."""
    return kill


def kill(node: Node) -> None:
    """Kill a node: faster than stopping it, and no kinder than a power cut."""
    processes = node.processes()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


@pytest.fixture
def empty_broker(node: Node) -> Iterator[Broker]:
    """A virtual host with nothing in it."""
    vhost = f"test-{secrets.token_hex(6)}"
    node.api.put_vhost(vhost)
    grant_everything(node.api, names.PLATFORM, vhost)
    yield Broker(node, vhost)
    node.api.delete_vhost(vhost)


@pytest.fixture
def broker(empty_broker: Broker) -> Broker:
    """A virtual host with the network's topology and the queues of one model."""
    empty_broker.apply()
    return empty_broker


@pytest.fixture
def until() -> Callable[..., None]:
    """Return a function that waits for a condition, and fails the test when it does not come true in time."""

    def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds:g} s"
            time.sleep(0.02)

    return wait
