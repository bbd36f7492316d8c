"""The page's connection to a real broker, for tests: it logs in as a device."""

from collections.abc import Callable

import pika
from pika.adapters.blocking_connection import BlockingChannel

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from tests.conftest import MINILM, Broker
from tests.phone.typescript import TypeScript

#: The device's task queue, and the device.
QUEUE = names.task_queue(Region.ASIA, Tier.TINY, MINILM.name)
DEVICE = "device-1"
#: The page's modules for that.
MODULES = ("broker/link.ts", "broker/questions.ts", "broker/clock.ts", "broker/call.ts", "wire/task.ts")
#: Connects, and keeps what is told of the connection as ``kept.events``.
OPEN = """
kept.events = [];
const said = (...event) => kept.events.push(event);
const events = { onConnected: () => said("connected"), onLost: () => said("lost"), onRefused: (kind) => said(kind) };
kept.link = new Link(login, events, { lost: 50, login: 100, permission: 100, longest: 500 });
kept.link.open();
await kept.link.connected(20000);
"""


def login(broker: Broker, user: str = DEVICE, password: str | None = None) -> dict[str, str]:
    """Return what the page logs in with."""
    url = f"ws://127.0.0.1:{broker.node.file.web}/ws"
    return {"url": url, "vhost": broker.vhost, "user": user, "password": password or f"secret-of-{user}"}


def connect(page: TypeScript, broker: Broker) -> None:
    """Make the device with its queue, and let the page connect as it."""
    broker.device(DEVICE, QUEUE)
    page.run(OPEN, login=login(broker))


def next_of(channel: BlockingChannel, queue: str, until: Callable[..., None]) -> tuple[pika.BasicProperties, bytes]:
    """Wait for a message, and return it."""
    got: list[tuple[pika.BasicProperties, bytes]] = []

    def fetch() -> bool:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method:
            got.append((properties, body))
        return bool(got)

    until(fetch)
    return got[0]
