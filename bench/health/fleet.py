"""A fleet in the registry and at the broker, without its machines: thousands of devices with keys of their own."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, event

from bench.ground import Ground
from broker_config.apply import apply
from broker_config.regions import Region
from broker_config.tiers import Tier
from broker_config.topology import Topology, device_topology
from registry import bulk
from registry.columns import now
from registry.database import migrate, session
from registry.device_state import DeviceState
from registry.owners import add_owner
from registry.tables import Deployment, Device, DeviceKey

MODEL = "all-minilm-l6-v2"
_REGIONS = tuple(Region)
_DEVICE = ("id", "owner_id", "region", "enrolled_at", "state")
_KEY = ("device_id", "signing", "sealing", "since")
_DEPLOYMENT = ("device_id", "model", "tier", "slots")


def device_ids(count: int) -> list[str]:
    """Return the ids of so many devices."""
    return [f"device-{number:016x}" for number in range(count)]


def signing_key(device: str) -> Ed25519PrivateKey:
    """Return the key that a device signs with, which follows from its id: two processes need it."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(device.encode()).digest())


def enrol_all(engine: Engine, devices: Sequence[str]) -> None:
    """Make the registry with these devices, all at work."""
    migrate(engine)
    at = now()
    with session(engine) as registry:
        owner = add_owner(registry, "owner").id or 0
        regions = (_REGIONS[number % len(_REGIONS)] for number in range(len(devices)))
        connection = registry.connection()
        rows = [
            Device(id=device, owner_id=owner, region=region, enrolled_at=at, state=DeviceState.ACTIVE)
            for device, region in zip(devices, regions, strict=True)
        ]
        keys = [
            DeviceKey(device_id=device, signing=_public(device), sealing=_sealing(device), since=at)
            for device in devices
        ]
        hosted = [Deployment(device_id=device, model=MODEL, tier=Tier.TINY, slots=4) for device in devices]
        bulk.insert(connection, Device.__table__, rows, _DEVICE)  # type: ignore[attr-defined]
        bulk.insert(connection, DeviceKey.__table__, keys, _KEY)  # type: ignore[attr-defined]
        bulk.insert(connection, Deployment.__table__, hosted, _DEPLOYMENT)  # type: ignore[attr-defined]


def declare_all(ground: Ground, devices: Sequence[str]) -> None:
    """Declare every device's control queue."""
    each = [device_topology(device) for device in devices]
    queues = tuple(queue for one in each for queue in one.queues)
    apply(ground.url, Topology((), queues, tuple(binding for one in each for binding in one.bindings)))


def _public(device: str) -> bytes:
    return signing_key(device).public_key().public_bytes_raw()


def _sealing(device: str) -> bytes:
    return hashlib.sha256(b"sealing " + device.encode()).digest()


@dataclass
class Written:
    """How many rows were written."""

    rows: int = 0


@contextmanager
def counting(engine: Engine) -> Iterator[Written]:
    """Count the rows of tables that are written over this engine."""
    written = Written()

    def count(_connection: object, cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            written.rows += max(int(getattr(cursor, "rowcount", 0)), 0)

    event.listen(engine, "after_cursor_execute", count)
    try:
        yield written
    finally:
        event.remove(engine, "after_cursor_execute", count)
