"""A device whose keys change while it is asked how it is."""

import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.columns import now
from registry.database import session
from registry.device_keys import rotate
from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.tables import EventKind
from tests.health.hand_device import well


def change_keys(network, device):
    """Let the registry know the device by a new key, which is returned; the device goes on with its old one."""
    new = Ed25519PrivateKey.generate()
    old, public = (key.public_key().public_bytes_raw() for key in (device.key, new))
    with session(network.engine) as registry:
        rotate(registry, device.id, old, public, secrets.token_bytes(32), now())
    return new


def is_unharmed(network, device):
    return network.state(device) is DeviceState.ACTIVE and not network.events(device, EventKind.CHECK_FAILED)


def test_one_that_has_not_put_its_new_key_in_place_yet_is_well(network):
    device = network.device()
    change_keys(network, device)

    network.cycle().run()

    assert network.health(device).condition is Condition.WELL
    assert is_unharmed(network, device)


def test_one_that_changes_its_key_between_probe_and_answer_is_well(network):
    device = network.device()

    def rotating(device, probe):
        device.key = change_keys(network, device)
        well(device, probe)

    device.answer = rotating

    network.cycle().run()

    assert network.health(device).condition is Condition.WELL
    assert is_unharmed(network, device)
