"""One request to join, from a stranger's bytes to the registry and back."""

import json
import logging
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.deployments import Planned, deployments_of
from registry.device_state import DeviceState
from registry.devices import enrolled_devices, find_device
from registry.events import events_of
from registry.measurements import latest_measurement
from registry.states import set_state
from registry.tables import EventKind

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PHI = Planned("phi3-3.8b", Tier.MEDIUM, slots=2, threads=4, tasks_per_second=20.0)
MINILM = Planned("all-minilm-l6-v2", Tier.TINY, slots=4)
MEASURED = {"cpu_model": "AMD EPYC", "gpus": [{"name": "RTX 3060"}, {"name": "RTX 3090"}], "gflops": 228.5}


def test_a_device_that_joins_is_enrolled_and_told_what_it_is(device):
    accepted = device.send(device.request())

    found = find_device(device.registry, accepted.device)
    assert (found.region, found.name, found.hardware_id) == (Region.ASIA, "the old laptop", "ab" * 32)
    assert found.state is DeviceState.ACTIVE
    assert accepted.region is Region.ASIA
    assert accepted.credentials.user == accepted.device == device.users[0]
    assert accepted.credentials.password.get_secret_value() == f"password-1-of-{accepted.device}"
    assert device.uses_left() == 0


def test_it_hosts_what_was_planned_and_is_told_so(device):
    accepted = device.send(device.request())

    hosted = deployments_of(device.registry, accepted.device)
    assert [(model.model, model.slots) for model in hosted] == [(MINILM.model, 4), (PHI.model, 2)]
    assert [(m.model, m.tier, m.slots, m.speed) for m in accepted.deployments] == [
        (PHI.model, Tier.MEDIUM, 2, 0.5),
        (MINILM.model, Tier.TINY, 4, 0.5),
    ]


def test_its_speed_is_against_the_others(new_device):
    slow, fast = new_device(), new_device()
    slow.planned, fast.planned = [PHI], [Planned(PHI.model, PHI.tier, tasks_per_second=200.0)]

    slow.send(slow.request())

    assert fast.send(fast.request()).deployments[0].speed > 0.5


def test_its_whole_measurement_is_kept(device):
    accepted = device.send(device.request())

    kept = latest_measurement(device.registry, accepted.device)
    assert kept is not None
    assert json.loads(kept.details or "") == MEASURED
    assert (kept.cpu_model, kept.at) == ("AMD EPYC", NOW)


def test_its_joining_is_in_its_history(device):
    accepted = device.send(device.request())

    event = next(e for e in events_of(device.registry, accepted.device) if e.kind is EventKind.JOINED)
    assert (event.kind, event.reason, event.at) == (EventKind.JOINED, f"by token {device.token}", NOW)


def test_joining_twice_with_one_key_is_the_same_device_and_one_use(device):
    first = device.send(device.request())
    second = device.send(device.request(name="the new laptop"))

    assert first.device == second.device
    assert [(found.id, found.name) for found in enrolled_devices(device.registry)] == [(first.device, "the new laptop")]
    assert second.credentials.password != first.credentials.password
    kinds = {event.kind for event in events_of(device.registry, first.device)}
    assert kinds == {EventKind.JOINED, EventKind.ACTIVE, EventKind.REJOINED}


def test_a_device_that_joins_again_may_bring_another_sealing_key(device):
    device.send(device.request())
    device.sealing = X25519PrivateKey.generate()

    assert device.send(device.request()).device == device.users[0]


def test_an_offline_device_that_joins_again_serves_again(device):
    accepted = device.send(device.request())
    set_state(device.registry, accepted.device, DeviceState.OFFLINE, "its owner's choice")

    device.send(device.request())

    assert find_device(device.registry, accepted.device).state is DeviceState.ACTIVE


def test_a_device_that_was_taken_out_of_work_does_not_come_back_by_joining_again(device):
    accepted = device.send(device.request())
    set_state(device.registry, accepted.device, DeviceState.INACTIVE, "it failed a check")

    device.send(device.request())

    assert find_device(device.registry, accepted.device).state is DeviceState.INACTIVE


def test_joining_is_an_event_that_shows_no_secret(device, caplog):
    with caplog.at_level(logging.DEBUG):
        accepted = device.send(device.request())

    shown = str([vars(record) for record in caplog.records])
    assert accepted.device in shown
    assert accepted.credentials.password.get_secret_value() not in shown
    assert repr(device.key) not in shown
