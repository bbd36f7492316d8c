"""A registry with two devices; no broker is needed."""

from datetime import UTC, datetime

import pytest

from broker_config.regions import Region
from ops.access import open_registry
from registry.database import session
from registry.deployments import deploy
from registry.device_keys import add_key
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.health_state import Check, Condition
from registry.health_tables import DeviceHealth
from registry.measurements import record_measurement
from registry.owners import add_owner
from registry.states import set_state
from registry.tables import DeviceEvent, EventKind, Measurement
from tests.ops.devices.shown import JOINED, KEY, MEASURED, MODELS, READINGS


@pytest.fixture(autouse=True)
def devices():
    """A device of ada that has everything, one of bob that has nothing yet."""
    with open_registry() as engine, session(engine) as registry:
        add_owner(registry, "ada")
        add_owner(registry, "bob")
        first = enrol_device(registry, "device-1", "ada", Region.EUROPE)
        first.name, first.hardware_id, first.enrolled_at = "[my] phone", "ab" * 32, JOINED
        enrol_device(registry, "device-2", "bob", Region.ASIA)
        add_key(registry, "device-1", KEY, KEY[::-1], JOINED)
        record_measurement(registry, Measurement(**MEASURED.model_dump()))
        deploy(registry, "device-1", MODELS)
        set_state(registry, "device-1", DeviceState.ACTIVE, "it \x1b[31mjoined", JOINED)


@pytest.fixture
def checked():
    """The first device was checked: its GPU failed twice, and it is in the lower band."""
    at = datetime.now(UTC)
    with open_registry() as engine, session(engine) as registry:
        health = {"condition": Condition.FAILED, "failed_check": Check.GPU, "reason": "Its GPU\x1b[2J lost its bus."}
        health |= {"cycle": 7, "checked_at": at, "answered_at": at, "failures": 2, "round_trip": 0.043, "down": 4.1e6}
        health |= {"load": 0.42, "trust": 0.5, "trusted_at": at, "sound": False, "figures": READINGS.model_dump_json()}
        registry.add(DeviceHealth(device_id="device-1", **health))
        failed = {"failed_check": Check.GPU, "cycle": 7, "cost": 0.1, "trust": 0.5, "figures": '{"errors": 2}'}
        kind, reason = EventKind.CHECK_FAILED, "Its GPU lost its bus."
        registry.add(DeviceEvent(device_id="device-1", at=at, kind=kind, reason=reason, **failed))
        set_state(registry, "device-1", DeviceState.INACTIVE, "its gpu check failed", at)
