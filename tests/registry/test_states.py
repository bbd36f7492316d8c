from datetime import UTC, datetime
from itertools import permutations

import pytest
from sqlmodel import Session

from registry.device_state import FOLLOWING, DeviceState
from registry.devices import find_device
from registry.events import events_of, record_event
from registry.states import set_state
from registry.tables import EventKind
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_device_begins_inactive(registry: Session) -> None:
    assert find_device(registry, "device-1").state is DeviceState.INACTIVE


def test_a_state_is_kept_and_its_reason_is_in_the_history(registry: Session) -> None:
    assert set_state(registry, "device-1", DeviceState.ACTIVE, "healthy", NOW)
    registry.expire_all()
    assert find_device(registry, "device-1").state is DeviceState.ACTIVE
    assert [(e.kind, e.reason, e.at) for e in events_of(registry, "device-1")] == [(EventKind.ACTIVE, "healthy", NOW)]


def test_the_state_that_it_has_is_no_event(registry: Session) -> None:
    assert not set_state(registry, "device-1", DeviceState.INACTIVE, "again")
    assert events_of(registry, "device-1") == []


@pytest.mark.parametrize(("before", "after"), permutations(DeviceState, 2))
def test_only_a_state_that_may_follow_follows(registry: Session, before: DeviceState, after: DeviceState) -> None:
    set_state(registry, "device-1", before, "so it begins")
    if after in FOLLOWING[before]:
        assert set_state(registry, "device-1", after, "allowed")
    else:
        with pytest.raises(RegistryError, match=f"is {before} and cannot become {after}"):
            set_state(registry, "device-1", after, "not allowed")


def test_none_that_comes_back_serves_unchecked() -> None:
    assert DeviceState.ACTIVE not in FOLLOWING[DeviceState.OFFLINE] | FOLLOWING[DeviceState.BLACKLISTED]


def test_every_state_is_a_kind_of_event() -> None:
    assert {state.value for state in DeviceState} <= {kind.value for kind in EventKind}


def test_an_unknown_device_has_neither_state_nor_history(registry: Session) -> None:
    with pytest.raises(RegistryError, match="no device 'device-9'"):
        set_state(registry, "device-9", DeviceState.ACTIVE, "healthy")
    with pytest.raises(RegistryError, match="no device 'device-9'"):
        events_of(registry, "device-9")


def test_a_long_reason_is_cut(registry: Session) -> None:
    record_event(registry, "device-1", EventKind.JOINED, "x" * 600)
    assert [len(event.reason) for event in events_of(registry, "device-1")] == [500]
