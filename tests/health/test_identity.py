"""The first check: who answers, and what."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.health.finding import Verdict
from tasks.health.identity import check_identity
from tasks.health.settings import CheckSettings
from tests.health.answered import asked, heard, report


def found(answer, **changes):
    finding, told = check_identity(asked(**changes), answer, CheckSettings())
    assert (told is None) is (finding.verdict is Verdict.FAILED)
    return finding


def test_a_signed_answer_to_this_probe_from_this_device_passes():
    assert found(heard()).verdict is Verdict.PASSED


@pytest.mark.parametrize("user", ["device-2", None])
def test_an_answer_in_anothers_name_is_a_lie(user):
    finding = found(heard(user=user))

    assert (finding.verdict, finding.figures["lie"]) == (Verdict.FAILED, 1)


def test_one_that_names_another_device_than_its_sender_is_a_lie():
    assert "another device" in found(heard(report(device="device-2"))).reason


@pytest.mark.parametrize("old", [{"nonce": "0" * 32}, {"cycle": 6}])
def test_an_answer_to_another_probe_is_a_lie(old):
    finding = found(heard(report(**old)))

    assert finding.figures["lie"] == 1
    assert "another probe" in finding.reason


def test_a_strangers_key_is_a_lie_of_a_device_that_has_one():
    finding = found(heard(key=Ed25519PrivateKey.generate()))

    assert finding.figures["lie"] == 1
    assert "not signed with the key that it has" in finding.reason
    assert "join with it again" in finding.reason


def test_no_signature_fails_a_device_that_has_a_key_and_is_no_lie():
    finding = found(heard(key=None))

    assert finding.figures["lie"] == 0
    assert "not signed" in finding.reason


def test_another_key_of_its_own_is_as_good_as_none_while_its_keys_are_changed():
    other = Ed25519PrivateKey.generate()

    finding = found(heard(key=other), changed={other.public_key().public_bytes_raw(): 599.0})

    assert finding.verdict is Verdict.UNCHECKED
    assert "just been changed" in finding.reason


def test_a_key_that_was_given_up_before_fails_and_is_no_lie():
    other = Ed25519PrivateKey.generate()

    finding = found(heard(key=other), changed={other.public_key().public_bytes_raw(): 601.0})

    assert (finding.verdict, finding.figures["lie"]) == (Verdict.FAILED, 0)
    assert "rotate-keys" in finding.reason


def test_a_device_without_a_key_is_unchecked_and_heard():
    finding = found(heard(key=None), signing=None)

    assert finding.verdict is Verdict.UNCHECKED
    assert "no key in the registry" in finding.reason


def test_of_a_device_without_a_key_all_else_is_demanded():
    assert found(heard(report(nonce="0" * 32), key=None), signing=None).verdict is Verdict.FAILED


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff" * 100, b"x" * 100_000, b'{"content":"YQ"}', b"[" * 5000])
def test_what_cannot_be_read_fails_and_is_no_lie_and_is_not_repeated(body):
    finding = found(heard(body=body))

    assert (finding.verdict, finding.figures["lie"]) == (Verdict.FAILED, 0)
    assert "cannot be read" in finding.reason
    assert len(finding.reason) < 200
