"""A network of strangers: real users with real roles, who try what they should not."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPChannelError, AMQPConnectionError, AMQPError

from broker_config import names
from broker_config.address import parameters
from broker_config.apply import apply
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import Role, bootstrap_role, device_role, submitter_role
from broker_config.settings import BrokerSettings
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, device_topology, topology
from broker_config.users import grant_everything, put_user
from tests.conftest import idle
from tests.stomp import Refused, Stomp

MODEL, ANOTHER = HostedModel("all-minilm-l6-v2", Tier.TINY, is_default=True), HostedModel("phi3-3.8b", Tier.MEDIUM)
OWN = [names.task_queue(region, MODEL.tier, MODEL.name) for region in Region]

Deed = Callable[[BlockingChannel], Any]


@dataclass
class Stranger:
    """A user, and what it may try."""

    name: str
    url: str
    stack: ExitStack = field(default_factory=ExitStack)

    def connect(self) -> pika.BlockingConnection:
        """Open another connection, which is closed after the test."""
        connection = pika.BlockingConnection(idle(self.url))
        self.stack.callback(_close, connection)
        return connection

    def does(self, deed: Deed) -> Any:
        """Do it on a connection of its own, and return what came of it."""
        with pika.BlockingConnection(parameters(self.url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            return deed(channel)

    def is_refused(self, deed: Deed, code: int = 403) -> bool:
        """Tell whether the broker answers the deed with that code."""
        try:
            self.does(deed)
        except (AMQPChannelError, AMQPConnectionError) as refused:
            return getattr(refused, "reply_code", None) == code
        return False


@dataclass
class Network:
    """A virtual host of a real node, with everything in it that there is to steal."""

    node: Node
    vhost: str
    stack: ExitStack

    def url(self, user: str, password: str | None = None) -> str:
        return self.node.url(user, password, self.vhost)

    def user(self, name: str, role: Role) -> Stranger:
        put_user(self.node.api, name, "secret", role, self.vhost)
        stranger = Stranger(name, self.url(name, "secret"))
        self.stack.callback(stranger.stack.close)
        return stranger

    @contextmanager
    def platform(self) -> Iterator[BlockingChannel]:
        with pika.BlockingConnection(parameters(self.url(names.PLATFORM))) as connection:
            yield connection.channel()

    def way_in(self) -> Stomp:
        """Open a connection to web STOMP, without a login as yet, which is closed after the test."""
        connection = Stomp(f"ws://127.0.0.1:{self.node.file.web}/ws")
        self.stack.callback(connection.close)
        return connection

    def phone(self, user: Stranger) -> Stomp:
        """Log a user in over web STOMP, as a phone does."""
        connection = self.way_in()
        connection.login(self.vhost, login=user.name, passcode="secret")
        return connection

    def refuses(self, user: Stranger, deed: Callable[[Stomp], Any]) -> bool:
        """Tell whether the broker refuses what a user does over a connection of its own to web STOMP."""
        connection = self.phone(user)
        try:
            deed(connection)
        except Refused:
            return True
        finally:
            connection.close()
        return False

    def all_there_is(self) -> dict[str, Any]:
        """Return what anybody could have changed: queues, bindings, and how much waits."""
        definitions = self.node.api.definitions(self.vhost)
        queues = sorted(queue["name"] for queue in self.node.api.queues(self.vhost))
        with self.platform() as channel:
            depths = {queue: channel.queue_declare(queue, passive=True).method.message_count for queue in queues}
        return {"depths": depths, **{kind: definitions[kind] for kind in ("exchanges", "queues", "bindings")}}

    def take(self, queue: str) -> bytes | None:
        """Take a message out of a queue, as the platform."""
        with self.platform() as channel:
            return channel.basic_get(queue, auto_ack=True)[2]


def _close(connection: pika.BlockingConnection) -> None:
    with suppress(AMQPError):  # the broker was first, which was the test's purpose
        connection.close()


def build(node: Node, vhost: str) -> None:
    """Declare the network's topology, two devices' control queues, another's reply queue, and the ledger."""
    node.api.put_vhost(vhost)
    grant_everything(node.api, names.PLATFORM, vhost)
    url = node.url(vhost=vhost)
    whole = topology([MODEL, ANOTHER], BrokerSettings().queue_type)
    apply(url, whole + device_topology("d1") + device_topology("d2"))
    with pika.BlockingConnection(parameters(url)) as connection:
        channel = connection.channel()
        if names.LEDGER not in {queue.name for queue in whole.queues}:
            channel.queue_declare(names.LEDGER, durable=True)
            channel.queue_bind(names.LEDGER, names.RESULTS, "#")
        channel.queue_declare("reply.bob-1a", durable=True)
        channel.queue_bind("reply.bob-1a", names.RESULTS, "reply.bob-1a.*")


@pytest.fixture(scope="module")
def shared_vhost(node: Node) -> Iterator[str]:
    """A virtual host with the network's topology, for all tests of a module."""
    vhost = f"test-{secrets.token_hex(6)}"
    build(node, vhost)
    yield vhost
    node.api.delete_vhost(vhost)


@pytest.fixture
def network(node: Node, shared_vhost: str) -> Iterator[Network]:
    """That virtual host, its queues emptied, without connections of an earlier test."""
    with ExitStack() as stack:
        network = Network(node, shared_vhost, stack)
        with network.platform() as channel:
            for queue in (*OWN, names.LEDGER, names.REPORTS, names.ENROLMENT, names.UNPLACED, "reply.bob-1a"):
                channel.queue_purge(queue)
        yield network


@pytest.fixture
def device(network: Network) -> Stranger:
    """A device of a minute model, which is active."""
    return network.user("d1", device_role("d1", OWN))


@pytest.fixture
def ann(network: Network) -> Stranger:
    """A submitter."""
    return network.user("ann", submitter_role("ann"))


@pytest.fixture
def newcomer(network: Network) -> Stranger:
    """Whoever has a join token."""
    return network.user("newcomers", bootstrap_role())
