"""Sealed messages: only their receiver reads them, and only whole."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import InvalidMessage
from tasks.sealing import check_sealing_key, open_sealed, seal

PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()

#: Points of small order (RFC 7748, section 6.1): they agree on nothing but zeros.
SMALL = [bytes(32), b"\1" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")]


@given(st.binary(max_size=2000), st.binary(max_size=100))
def test_what_was_sealed_is_opened(plain, aad):
    assert open_sealed(PRIVATE, seal(PUBLIC, plain, aad), aad) == plain


def test_sealing_twice_is_never_the_same():
    assert seal(PUBLIC, b"plain", b"") != seal(PUBLIC, b"plain", b"")


def test_nothing_of_the_plain_bytes_is_in_the_sealed_ones():
    assert b"plain text" not in seal(PUBLIC, b"plain text" * 10, b"")


@given(st.binary(max_size=100), st.binary(max_size=20), st.binary(max_size=20))
def test_other_aad_opens_nothing(plain, aad, other):
    if aad != other:
        with pytest.raises(InvalidMessage, match="cannot be opened"):
            open_sealed(PRIVATE, seal(PUBLIC, plain, aad), other)


def test_another_key_opens_nothing():
    with pytest.raises(InvalidMessage, match="not for this key"):
        open_sealed(X25519PrivateKey.generate(), seal(PUBLIC, b"plain", b"aad"), b"aad")


@given(st.binary(max_size=50), st.data())
def test_a_flipped_bit_opens_nothing(plain, data):
    sealed = bytearray(seal(PUBLIC, plain, b"aad"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(InvalidMessage):
        open_sealed(PRIVATE, bytes(sealed), b"aad")


@given(st.binary(max_size=200))
def test_any_other_bytes_open_nothing(sealed):
    with pytest.raises(InvalidMessage):
        open_sealed(PRIVATE, sealed, b"")


@pytest.mark.parametrize("public", [*SMALL, b"", bytes(31), bytes(33)])
def test_a_key_that_hides_nothing_is_refused(public):
    with pytest.raises(InvalidMessage, match="key to seal to"):
        seal(public, b"plain", b"")
    with pytest.raises(InvalidMessage):
        check_sealing_key(public)


@pytest.mark.parametrize("point", SMALL)
def test_a_message_sealed_with_such_a_key_is_refused(point):
    with pytest.raises(InvalidMessage):
        open_sealed(PRIVATE, point + bytes(40), b"")
