"""Which message is a device's answer, and which devices are asked for a timed transfer."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.device_state import DeviceState
from registry.fleet_facts import Facts
from tasks.health.answers import is_late
from tasks.health.cycle_settings import CycleSettings
from tasks.health.probes import new_probes
from tasks.probe import HealthReport, Probe, write_report
from tests.health.hand_device import readings
from tests.health.test_cycle_changes import an_active

PROBE = Probe(cycle=7, nonce="2" * 32)


def report(cycle: int, nonce: str) -> bytes:
    return write_report(HealthReport(device="d1", cycle=cycle, nonce=nonce, at=0.0, readings=readings()), None)


@pytest.mark.parametrize(
    ("asked", "cycle", "nonce", "late"),
    [
        (PROBE, 7, PROBE.nonce, False),
        (PROBE, 6, "0" * 32, True),
        (PROBE, 0, "0" * 32, True),
        (PROBE, 7, "0" * 32, False),  # forged, which is another's to see
        (Probe(cycle=0, nonce="1" * 32), 0, "1" * 32, False),
        (Probe(cycle=0, nonce="1" * 32), 0, "0" * 32, True),
        (Probe(cycle=0, nonce="1" * 32), 7, "1" * 32, True),
    ],
)
def test_an_answer_to_another_cycle_is_late(asked, cycle, nonce, late):
    assert is_late(report(cycle, nonce), asked) is late


@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_what_cannot_be_read_is_not_late_and_never_raises(body):
    assert not is_late(body, PROBE)


def test_deeply_nested_json_is_read_as_nothing():
    assert not is_late(b'{"content":' + b"[" * 100_000, PROBE)


def a_fleet(count: int, round_trip: float | None) -> dict[str, Facts]:
    health = an_active(round_trip=round_trip).health
    return {f"d{n}": Facts(DeviceState.ACTIVE, health, None, frozenset(), 0, None, None, None) for n in range(count)}


def test_each_device_is_asked_for_a_timed_transfer_in_one_of_so_many_cycles():
    settings, fleet = CycleSettings(health_padding_bytes=100, health_padding_every=5), a_fleet(200, 0.1)
    timed = Counter()
    for cycle in range(1, 6):
        padded = [device for device, probe in new_probes(fleet, cycle, settings).items() if probe.padding]
        assert 20 <= len(padded) <= 60  # another part of the fleet each time
        timed.update(padded)

    assert timed == Counter(list(fleet))


def test_one_that_was_never_timed_without_padding_is_asked_for_none_and_nobody_outside_of_a_cycle():
    settings = CycleSettings(health_padding_bytes=100, health_padding_every=1)

    assert not any(probe.padding for probe in new_probes(a_fleet(5, None), 1, settings).values())
    assert not any(probe.padding for probe in new_probes(a_fleet(5, 0.1), 0, settings).values())


def test_every_probe_has_a_nonce_of_its_own():
    nonces = {probe.nonce for probe in new_probes(a_fleet(50, None), 1, CycleSettings()).values()}

    assert len(nonces) == 50
