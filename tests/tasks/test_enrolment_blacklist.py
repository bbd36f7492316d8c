"""Nobody starts clean by joining under a new key: hardware and owners that the blacklist knows."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.blacklist import enter, lift
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.failures import count_failure, locked_health
from registry.health_tables import DeviceHealth
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import EventKind
from tasks.joining import JoinRefused, Refusal

NOW = datetime(2026, 5, 1, tzinfo=UTC)
WEEK = NOW + timedelta(days=7)
OTHER = "cd" * 32
SETTINGS = StandingSettings()


@pytest.fixture
def listed(device):
    """A device that joined and was blacklisted for a week."""
    accepted = device.send(device.request())
    enter(device.registry, accepted.device, "it lied", WEEK, NOW)
    return accepted.device


def health(device, name):
    return device.registry.get_one(DeviceHealth, name)


def test_the_device_itself_is_told_until_when(device, listed):
    with pytest.raises(JoinRefused, match=r"device is blacklisted until 2026-05-08 00:00 UTC. It comes back") as no:
        device.send(device.request())
    assert no.value.reason is Refusal.BLACKLISTED


@pytest.mark.parametrize("owner", ["ada", "bob"])
def test_its_hardware_is_refused_under_any_key_and_any_owner(listed, new_device, owner):
    again = new_device(owner=owner)

    with pytest.raises(JoinRefused, match=r"This hardware is blacklisted until .* Join again then") as no:
        again.send(again.request())

    assert no.value.reason is Refusal.BLACKLISTED
    assert again.users == []


def test_a_device_that_is_known_cannot_move_to_that_hardware(listed, new_device):
    other = new_device(owner="bob")
    other.send(other.request(hardware_id=OTHER))

    assert other.refused(other.request()) is Refusal.BLACKLISTED


def test_for_ever_names_the_operator_as_the_way_back(device, listed, new_device):
    enter(device.registry, listed, "it lied again", None, NOW)
    again = new_device()
    with pytest.raises(JoinRefused, match="ask the network's operator for the way back"):
        again.send(again.request())


def test_once_it_is_lifted_hardware_may_join_again_and_is_trusted_as_little(device, listed, new_device):
    lift(device.registry, listed, "enough", SETTINGS.probation, NOW)
    again = new_device(owner="bob")

    accepted = again.send(again.request())

    assert health(device, accepted.device).trust == pytest.approx(SETTINGS.probation)
    assert not health(device, accepted.device).sound


def test_other_hardware_of_the_same_owner_is_on_probation_and_anothers_is_not(device, listed, new_device):
    adas, bobs = new_device(), new_device(owner="bob")

    on_probation = adas.send(adas.request(hardware_id=OTHER)).device
    free = bobs.send(bobs.request(hardware_id="ef" * 32)).device

    assert health(device, on_probation).trust == SETTINGS.probation
    assert find_device(device.registry, on_probation).state is DeviceState.ACTIVE
    assert device.registry.get(DeviceHealth, free) is None


def test_a_new_key_on_hardware_that_failed_inherits_its_trust_and_its_quarantine(device, new_device):
    first = device.send(device.request()).device
    count_failure(device.registry, first, EventKind.HOARDED, "x", NOW, settings=SETTINGS, cost=0.7)
    row = locked_health(device.registry, first, NOW)
    row.quarantined_until, row.quarantines, row.sound = NOW + timedelta(hours=1), 1, False
    device.registry.flush()

    again = new_device()
    second = again.send(again.request()).device

    assert second != first
    assert (health(device, second).trust, health(device, second).sound) == (pytest.approx(0.3), False)
    assert find_device(device.registry, second).state is DeviceState.INACTIVE


def test_by_its_own_key_a_device_keeps_its_standing(device):
    first = device.send(device.request()).device
    count_failure(device.registry, first, EventKind.HOARDED, "x", NOW, settings=SETTINGS)

    assert device.send(device.request()).device == first

    assert health(device, first).trust == pytest.approx(0.7)


def test_a_quarantine_is_not_left_by_going_offline_and_joining_again(device):
    first = device.send(device.request()).device
    locked_health(device.registry, first, NOW).quarantined_until = WEEK
    set_state(device.registry, first, DeviceState.OFFLINE, "its owner ended it")

    device.send(device.request())

    assert find_device(device.registry, first).state is DeviceState.INACTIVE


def test_a_device_that_tells_no_hardware_is_nobodys_kin(device, new_device):
    device.send(device.request(hardware_id=None))
    stranger = new_device(owner="bob")
    stranger.signing = Ed25519PrivateKey.generate()

    accepted = stranger.send(stranger.request(hardware_id=None))

    assert device.registry.get(DeviceHealth, accepted.device) is None


@pytest.fixture
def listed_phone(device):
    """A device that tells nothing of its hardware, and was blacklisted for a week."""
    accepted = device.send(device.request(hardware_id=None))
    enter(device.registry, accepted.device, "it lied", WEEK, NOW)
    return accepted.device


def test_a_phone_that_is_blacklisted_is_known_by_its_key(device, listed_phone):
    with pytest.raises(JoinRefused, match="This device is blacklisted until 2026-05-08"):
        device.send(device.request(hardware_id=None))


def test_phones_that_tell_nothing_of_their_hardware_are_not_taken_for_one_another(device, listed_phone, new_device):
    adas, bobs = new_device(), new_device(owner="bob")

    on_probation = adas.send(adas.request(hardware_id=None)).device
    free = bobs.send(bobs.request(hardware_id=None)).device

    assert health(device, on_probation).trust == SETTINGS.probation  # as its owner has one on the blacklist
    assert device.registry.get(DeviceHealth, free) is None
    assert find_device(device.registry, free).state is DeviceState.ACTIVE


def test_what_one_phone_failed_at_is_not_anothers(device, new_device):
    first = device.send(device.request(hardware_id=None)).device
    count_failure(device.registry, first, EventKind.HOARDED, "x", NOW, settings=SETTINGS, cost=0.7)
    again = new_device()

    second = again.send(again.request(hardware_id=None)).device

    assert device.registry.get(DeviceHealth, second) is None
    assert find_device(device.registry, second).hardware_id is None
