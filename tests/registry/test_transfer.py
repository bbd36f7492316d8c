import pytest
from sqlmodel import Session

from registry.devices import find_device
from registry.events import events_of
from registry.owners import add_owner, find_owner
from registry.tables import EventKind
from registry.transfer import transfer_device
from starai.errors import RegistryError


def test_a_device_that_is_transferred_is_the_new_owners_and_says_so(registry: Session) -> None:
    add_owner(registry, "bob")
    transfer_device(registry, "device-1", "bob", "sold")
    assert find_device(registry, "device-1").owner_id == find_owner(registry, "bob").id
    (event,) = events_of(registry, "device-1")
    assert (event.kind, event.reason) == (EventKind.TRANSFERRED, "from ada to bob: sold")


def test_a_transfer_to_its_own_owner_is_none(registry: Session) -> None:
    transfer_device(registry, "device-1", "ada", "kept")
    assert events_of(registry, "device-1") == []


@pytest.mark.parametrize(("device", "owner"), [("device-9", "ada"), ("device-1", "eve")])
def test_a_transfer_of_or_to_nobody_is_refused(registry: Session, device: str, owner: str) -> None:
    with pytest.raises(RegistryError, match="has no"):
        transfer_device(registry, device, owner, "a mistake")
