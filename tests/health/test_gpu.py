"""The fourth check: the GPU that the device joined with, its driver, and the provider that uses it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.health.driver import is_older
from tasks.health.finding import Verdict
from tasks.health.gpu import check_gpu
from tasks.health.settings import CheckSettings
from tasks.probe import GpuReading
from tests.health.answered import asked
from tests.health.hand_device import readings

CUDA, CARD = "CUDAExecutionProvider", "NVIDIA GeForce RTX 3060"


def card(**changes):
    return GpuReading(**{"name": CARD, "driver": "580.95.05", "temperature": 60.0, "memory_errors": 0} | changes)


def found(*gpus, provider=CUDA, joined=CUDA, **changes):
    device = asked(provider=joined, gpu_name=CARD, gpu_driver="580.95.05")
    return check_gpu(device, readings(gpus=gpus, provider=provider, **changes), CheckSettings())


def test_a_sound_gpu_passes_with_its_figures():
    finding = found(card())

    assert finding.verdict is Verdict.PASSED
    assert (finding.figures["driver"], finding.figures["temperature"]) == ("580.95.05", 60.0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"driver": "470.82.01"}, "Its GPU's driver is 470.82.01; models need 580 or newer: update it."),
        ({"fault": "Its driver does not work"}, f"Its GPU {CARD} cannot be used: Its driver does not work. Repair"),
        ({"temperature": 101.0}, f"Its GPU {CARD} has 101 °C; 95 is the most. Clean its fans"),
        ({"memory_errors": 3}, f"The memory of its GPU {CARD} has had 3 errors that could not be corrected. Start"),
    ],
)
def test_a_gpu_that_is_not_sound_fails_and_says_what_to_do(wrong, sentence):
    finding = found(card(**wrong))

    assert finding.verdict is Verdict.FAILED
    assert finding.reason.startswith(sentence)


def test_one_of_two_alike_that_is_broken_fails():
    assert found(card(), card(fault="It fell off the bus")).verdict is Verdict.FAILED


def test_a_gpu_that_is_gone_fails_with_what_is_in_its_place():
    finding = found(GpuReading(name="NVIDIA GPU", fault="no communication with the driver"))

    assert finding.reason.startswith(f"Its GPU {CARD} is not there (NVIDIA GPU: no communication with the driver).")


def test_another_provider_than_it_joined_with_fails():
    assert "by CPUExecutionProvider and joined with" in found(card(), provider="CPUExecutionProvider").reason


@pytest.mark.parametrize("joined", [CUDA, "CPUExecutionProvider", None])
def test_a_provider_that_does_not_load_any_more_fails_on_the_processor_as_well(joined):
    finding = found(card(), provider=joined or CUDA, joined=joined, provider_fault="libcudnn is missing")

    assert finding.verdict is Verdict.FAILED
    assert "does not load on it: libcudnn is missing" in finding.reason


@pytest.mark.parametrize("joined", ["CPUExecutionProvider", None])
def test_of_a_device_that_does_not_use_its_gpu_nothing_is_asked(joined):
    gpu = card(fault="broken", driver="1")

    assert found(gpu, provider="CPUExecutionProvider", joined=joined).verdict is Verdict.PASSED


@pytest.mark.parametrize("version", ["", "32.0.15.8115", "Linux 6.1", "580", "a.b"])
def test_a_version_that_is_none_of_nvidias_is_unchecked(version):
    finding = found(card(driver=version))

    assert finding.verdict is Verdict.UNCHECKED
    assert "cannot be compared with 580" in finding.reason


def test_other_makers_drivers_are_not_compared():
    rocm = "MIGraphXExecutionProvider"

    assert found(card(driver="Linux 6.1"), provider=rocm, joined=rocm).verdict is Verdict.PASSED


versions = st.tuples(st.integers(300, 999), st.integers(0, 300), st.integers(0, 99))


@given(versions, versions)
def test_versions_are_compared_as_numbers_and_not_as_text(one, other):
    text = [".".join(map(str, version)) for version in (one, other)]

    assert is_older(*text) is (one < other)
    assert is_older("1000.2", "999.10") is False
