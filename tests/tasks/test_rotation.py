"""The rotation of a device's keys, signed by the old one and the new one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import InvalidMessage, read, write
from tasks.joining import LIFETIME
from tasks.rotation import KeyRotation, RotationAnswer, RotationRefusal, read_rotation, write_rotation

NOW = 1_800_000_000.0
OLD, NEW, OTHER = (Ed25519PrivateKey.from_private_bytes(letter * 32) for letter in (b"o", b"n", b"x"))
ROTATION = KeyRotation(
    device="device-1",
    old=OLD.public_key().public_bytes_raw(),
    signing=NEW.public_key().public_bytes_raw(),
    sealing=X25519PrivateKey.generate().public_key().public_bytes_raw(),
    at=NOW,
)
BODY = write_rotation(ROTATION, OLD, NEW)


def test_a_rotation_is_read_as_it_was_written():
    assert read_rotation(BODY, NOW) == ROTATION


@pytest.mark.parametrize(("old", "new"), [(OTHER, NEW), (OLD, OTHER), (NEW, OLD)])
def test_a_rotation_needs_both_signatures(old, new):
    with pytest.raises(InvalidMessage, match="signature"):
        read_rotation(write_rotation(ROTATION, old, new), NOW)


@pytest.mark.parametrize("seconds", [-LIFETIME - 1, LIFETIME + 1])
def test_a_rotation_that_is_not_of_now_is_refused(seconds):
    with pytest.raises(InvalidMessage, match="clock"):
        read_rotation(BODY, NOW + seconds)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_a_rotation_with_a_flipped_bit_is_invalid(bit):
    changed = bytearray(BODY)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(InvalidMessage):
        read_rotation(bytes(changed), NOW)


@given(st.binary(max_size=200) | st.integers(0, len(BODY) - 1).map(lambda length: BODY[:length]))
def test_a_truncated_rotation_or_any_other_bytes_are_invalid(body):
    with pytest.raises(InvalidMessage):
        read_rotation(body, NOW)


@pytest.mark.parametrize("refusal", [None, *RotationRefusal])
def test_an_answer_is_read_as_it_was_written(refusal):
    answer = RotationAnswer(signing=ROTATION.signing, refusal=refusal)

    assert read(RotationAnswer, write(answer)) == answer
