from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from broker_config.regions import Region
from registry.database import session
from registry.device_keys import (
    KeyRetired,
    KeyTaken,
    KeyUnknown,
    add_key,
    changed_keys,
    current_key,
    device_by_key,
    rotate,
)
from registry.devices import enrol_device
from registry.events import events_of
from registry.owners import add_owner
from registry.tables import DeviceKey, EventKind
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OLD, NEW, SEALING = b"o" * 32, b"n" * 32, b"s" * 32


@pytest.fixture
def keyed(registry: Session) -> Session:
    """A transaction in which `device-1` has the key OLD."""
    add_key(registry, "device-1", OLD, SEALING, NOW)
    return registry


def test_a_device_is_known_by_its_key(keyed: Session) -> None:
    found = device_by_key(keyed, OLD)
    assert found is not None
    assert found.id == "device-1"
    assert device_by_key(keyed, NEW) is None


def test_the_same_key_again_may_bring_another_sealing_key(keyed: Session) -> None:
    add_key(keyed, "device-1", OLD, b"t" * 32)
    key = current_key(keyed, "device-1")
    assert key is not None
    assert (key.signing, key.sealing) == (OLD, b"t" * 32)


def test_a_key_is_one_devices_only(keyed: Session) -> None:
    enrol_device(keyed, "device-2", "ada", Region.ASIA)
    with pytest.raises(KeyTaken):
        add_key(keyed, "device-2", OLD, SEALING)
    assert current_key(keyed, "device-2") is None


def test_a_device_with_a_key_gets_another_only_by_rotation(keyed: Session) -> None:
    with pytest.raises(RegistryError, match="rotate"):
        add_key(keyed, "device-1", NEW, SEALING)


def test_a_rotation_retires_the_old_key_and_is_recorded(keyed: Session) -> None:
    later = NOW + timedelta(days=1)
    rotate(keyed, "device-1", OLD, NEW, SEALING, later)
    with pytest.raises(KeyRetired, match="device-1"):
        device_by_key(keyed, OLD)
    found = device_by_key(keyed, NEW)
    assert found is not None
    assert found.id == "device-1"
    spans = {key.signing: (key.since, key.until) for key in keyed.exec(select(DeviceKey))}
    assert spans == {OLD: (NOW, later), NEW: (later, None)}
    assert [event.kind for event in events_of(keyed, "device-1")] == [EventKind.KEY_ROTATED]


def test_a_rotation_that_is_asked_for_again_changes_nothing(keyed: Session) -> None:
    rotate(keyed, "device-1", OLD, NEW, SEALING)
    rotate(keyed, "device-1", OLD, NEW, SEALING)
    assert len(events_of(keyed, "device-1")) == 1


def test_only_the_key_in_use_can_be_rotated(keyed: Session) -> None:
    with pytest.raises(KeyUnknown):
        rotate(keyed, "device-1", b"x" * 32, NEW, SEALING)
    rotate(keyed, "device-1", OLD, NEW, SEALING)
    with pytest.raises(KeyUnknown):
        rotate(keyed, "device-1", OLD, b"m" * 32, SEALING)


def test_a_key_that_was_given_up_never_comes_back(keyed: Session) -> None:
    rotate(keyed, "device-1", OLD, NEW, SEALING)
    with pytest.raises(KeyTaken):
        rotate(keyed, "device-1", NEW, OLD, SEALING)
    key = current_key(keyed, "device-1")
    assert key is not None
    assert key.signing == NEW


@pytest.mark.process
def test_processes_that_rotate_at_once_leave_one_key(engine: Engine, at_once: Callable[..., list[str]]) -> None:
    with session(engine) as registry:
        add_owner(registry, "ada")
        enrol_device(registry, "device-1", "ada", Region.ASIA)
        add_key(registry, "device-1", OLD, SEALING)
    code = f"""
try:
    with session(engine) as registry:
        rotate(registry, "device-1", {OLD!r}, os.urandom(32), bytes(32))
    print("rotated")
except KeyUnknown:
    print("late")
"""
    said = "".join(at_once(code, "from registry.device_keys import KeyUnknown, rotate")).split()
    assert sorted(said) == ["late"] * 3 + ["rotated"]


def test_both_keys_of_a_change_are_known_for_a_week(keyed: Session) -> None:
    rotate(keyed, "device-1", OLD, NEW, SEALING, NOW)
    assert changed_keys(keyed, NOW + timedelta(minutes=1)) == {"device-1": {OLD: 60.0, NEW: 60.0}}
    assert changed_keys(keyed, NOW + timedelta(days=8)) == {}


def test_a_first_key_is_no_change(keyed: Session) -> None:
    assert changed_keys(keyed, NOW) == {}
