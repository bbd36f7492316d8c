"""Devices that fail, and what is done about them, at a real broker."""

from contextlib import suppress

import pika
from pika.exceptions import AMQPError

from broker_config import names
from broker_config.apply import apply
from broker_config.regions import Region
from broker_config.tiers import Tier
from broker_config.topology import device_topology
from registry.columns import now
from registry.database import reading, session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.events import events_of
from registry.failures import count_failure, locked_health
from registry.owners import add_owner
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import EventKind
from tasks.health.blacklisting import Blacklisting
from tasks.health.consequences import Consequences
from tasks.order import Order
from tests.conftest import MINILM, idle

QUEUE = names.task_queue(Region.ASIA, Tier.TINY, MINILM.name)
SETTINGS = StandingSettings()
DONE = (EventKind.DEMOTED, EventKind.PROMOTED, EventKind.QUARANTINED, EventKind.BLACKLISTED, EventKind.LIFTED)


def stop(*_):
    """End the process here, as the power's going would."""
    raise KeyboardInterrupt


def close(connection):
    with suppress(AMQPError):  # the platform may have been first
        connection.close()


class Fleet:
    """Devices that host one model, and what is done about them."""

    def __init__(self, broker, engine, stack):
        self.broker, self.engine, self._stack = broker, engine, stack
        self.urls = {}
        self.at = now()
        with session(engine) as registry:
            add_owner(registry, "owner")

    def device(self, name, model=MINILM.name):
        with session(self.engine) as registry:
            enrol_device(registry, name, "owner", Region.ASIA)
            deploy(registry, name, [Planned(model, Tier.TINY)])
            set_state(registry, name, DeviceState.ACTIVE, "it joined")
        self.urls[name] = self.broker.device(name, QUEUE)
        apply(self.broker.url(), device_topology(name))
        self._stack.callback(self._forget, name)

    def _forget(self, name):
        if name in self.broker.node.api.users():
            self.broker.node.api.delete_user(name)

    def connect(self, name):
        connection = pika.BlockingConnection(idle(self.urls[name]))
        self._stack.callback(close, connection)
        return connection

    def fail(self, name, cost, kind=EventKind.CHECK_FAILED):
        with session(self.engine) as registry:
            count_failure(registry, name, kind, "a test", self.at, settings=SETTINGS, cost=cost)

    def follow(self, at=None, url=None):
        consequences = Consequences(self.engine, self.broker.node.api, url or self.broker.url(), SETTINGS, grace=0.2)
        consequences.follow(at or self.at)

    @property
    def blacklisting(self):
        return Blacklisting(self.engine, self.broker.node.api, self.broker.vhost, SETTINGS)

    def state(self, name):
        with reading(self.engine) as registry:
            return find_device(registry, name).state

    def health(self, name):
        with session(self.engine) as registry:
            return locked_health(registry, name, self.at)

    def done(self, name):
        with reading(self.engine) as registry:
            return [event.kind for event in events_of(registry, name) if event.kind in DONE]

    def orders(self, name):
        found = []
        with self.broker.channel() as channel:
            while (got := channel.basic_get(names.device_queue(name), auto_ack=True))[0]:
                found.append(Order.model_validate_json(got[2]))
        return found

    def submit(self, body=b"task"):
        with self.broker.channel() as channel:
            channel.basic_publish(names.INFERENCE, f"asia.{MINILM.name}", body)
