"""A network whose health is looked after: a registry, a real broker, devices that answer as they are told."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlmodel import col, select

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.columns import now
from registry.database import migrate, open_engine, reading, session
from registry.deployments import Planned, deploy
from registry.device_keys import add_key
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.events import events_of
from registry.health_tables import DeviceHealth, HealthCycle
from registry.measurements import record_measurement
from registry.owners import add_owner
from registry.states import set_state
from registry.tables import EventKind, Measurement
from tasks.enforcement import Enforcement
from tasks.health.blacklisting import Blacklisting
from tasks.health.cycle import Cycle
from tasks.health.cycle_settings import CycleSettings
from tasks.health.looks import Looks
from tests.health.failing_fleet import Fleet
from tests.health.hand_device import MODEL, HandDevice

QUEUE = names.task_queue(Region.ASIA, Tier.TINY, MODEL)
#: What is written into a device's history of a check that it did not pass.
COUNTED = (EventKind.CHECK_FAILED, EventKind.SILENT)


class HealthyNetwork:
    """All of it, and what the registry says of it."""

    def __init__(self, broker: Any, engine: Engine, stack: ExitStack) -> None:
        self.broker, self.engine, self._stack = broker, engine, stack
        self.enforcement = Enforcement(engine, broker.node.api, broker.url())
        with session(engine) as registry:
            add_owner(registry, "owner")

    def cycle(self, *, deadline: float = 1.5, **options: Any) -> Cycle:
        """Return what checks this network; devices have ``deadline`` seconds, and no grace."""
        told = {name: options.pop(name) for name in list(options) if name.startswith(("health", "greeting"))}
        plain = {
            "health_deadline_seconds": deadline,
            "greeting_deadline_seconds": deadline,
            "health_grace_seconds": 0.0,
        }
        plain |= {"health_padding_bytes": 0}
        settings = CycleSettings(**plain | told)
        return Cycle(self.engine, self.broker.url(), self.enforcement, settings=settings, **options)

    def device(self, state: DeviceState = DeviceState.ACTIVE) -> HandDevice:
        """Enrol a device that signs, and connect it."""
        name = f"device-{secrets.token_hex(4)}"
        key = Ed25519PrivateKey.generate()
        with session(self.engine) as registry:
            enrol_device(registry, name, "owner", Region.ASIA)
            add_key(registry, name, key.public_key().public_bytes_raw(), secrets.token_bytes(32))
            deploy(registry, name, [Planned(MODEL, Tier.TINY, slots=2)])
            for step in (DeviceState.ACTIVE, state):
                set_state(registry, name, step, "a test")
        queues = names.task_queues(Tier.TINY, MODEL) if state is DeviceState.ACTIVE else ()
        device = HandDevice(self.broker.device(name, *queues), key)
        self._stack.callback(device.link.close, 0)
        return device

    def measured(self, device: HandDevice, provider: str) -> None:
        """Let it have measured that it runs models by this execution provider."""
        figures = {"physical_cores": 6, "threads": 6, "memory_bytes": 2 * 2**30, "gflops_one_thread": 5.0}
        found = Measurement(cpu_model="a phone", provider=provider, gb_per_s_one_thread=8.0, at=now(), **figures)
        found.device_id = device.id
        with session(self.engine) as registry:
            record_measurement(registry, found)

    def blacklist(self, device: HandDevice) -> None:
        """Shut it out for good."""
        api, vhost = self.broker.node.api, self.broker.vhost
        Blacklisting(self.engine, api, vhost).enter(device.id, "a test", None, now())

    def devices(self, count: int) -> list[HandDevice]:
        return [self.device() for _ in range(count)]

    def state(self, device: HandDevice) -> DeviceState:
        with reading(self.engine) as registry:
            return find_device(registry, device.id).state

    def health(self, device: HandDevice) -> DeviceHealth:
        with reading(self.engine) as registry:
            return registry.get_one(DeviceHealth, device.id)

    def change(self, device: HandDevice, **values: Any) -> None:
        with session(self.engine) as registry:
            health = registry.get_one(DeviceHealth, device.id)
            for name, value in values.items():
                setattr(health, name, value)

    def events(self, device: HandDevice, *kinds: EventKind) -> list[Any]:
        with reading(self.engine) as registry:
            return [event for event in events_of(registry, device.id) if event.kind in kinds]

    def cycles(self) -> list[HealthCycle]:
        with reading(self.engine) as registry:
            return list(registry.exec(select(HealthCycle).order_by(col(HealthCycle.id))))

    def was_checked(self, seconds: float) -> None:
        """Let a cycle have ended so long ago."""
        at = now() - timedelta(seconds=seconds)
        with session(self.engine) as registry:
            registry.add(HealthCycle(began_at=at, ended_at=at))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'registry.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def network(broker: Any, engine: Engine) -> Iterator[HealthyNetwork]:
    with ExitStack() as stack:
        yield HealthyNetwork(broker, engine, stack)


@pytest.fixture
def own_network(own_broker: Any, engine: Engine) -> Iterator[HealthyNetwork]:
    """The same on a node that the test may stop, freeze or kill."""
    with ExitStack() as stack:
        yield HealthyNetwork(own_broker, engine, stack)


@pytest.fixture
def fleet(broker: Any, engine: Engine) -> Iterator[Fleet]:
    """Two devices of one model, which fail as a test says."""
    with ExitStack() as stack:
        fleet = Fleet(broker, engine, stack)
        for name in ("device-one", "device-two"):
            fleet.device(name)
        yield fleet


class Clock:
    """A clock that the test turns; what the broker shows is as old as it is."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looks(network: HealthyNetwork, engine: Engine, clock: Clock) -> Looks:
    return Looks(engine, network.broker.node.api, network.broker.vhost, clock)
