"""How a device changes its keys: the old signing key signs over the new pair, and the new one proves itself.

Replays are refused as those of a request to join are, by time and nonce; a rotation that was already made may be asked
for again, in a new message, because its answer may have been lost.
"""

import secrets
from enum import StrEnum
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from tasks.envelope import Base64, Bytes32, InvalidMessage, Message, Signature, check_signature, read, sign, write
from tasks.joining import Id, Nonce, is_timely
from tasks.sealing import check_sealing_key

_BY_OLD = "starai key rotation v1, old key"
_BY_NEW = "starai key rotation v1, new key"


class KeyRotation(Message):
    """A device's new public keys.

    Attributes:
        old: the public signing key that the device had until now.
        nonce: 16 random bytes in hexadecimal.
        at: Unix time in seconds, by the device's clock.
    """

    version: Literal[1] = 1
    device: Id
    old: Bytes32
    signing: Bytes32
    sealing: Bytes32
    nonce: Nonce = Field(default_factory=lambda: secrets.token_hex(16))
    at: float


class _SignedRotation(Message):
    content: Base64
    by_old: Signature
    by_new: Signature


class RotationRefusal(StrEnum):
    """Why a device's keys were not changed."""

    MALFORMED = "malformed"
    REPLAYED = "replayed"
    UNKNOWN_KEY = "unknown-key"
    KEY_TAKEN = "key-taken"
    UNAVAILABLE = "unavailable"


class RotationAnswer(Message):
    """What a device is answered: from now on ``signing`` is its public key, or why it is not."""

    version: Literal[1] = 1
    signing: Bytes32
    refusal: RotationRefusal | None = None
    message: Annotated[str, Field(max_length=500)] | None = None


def write_rotation(rotation: KeyRotation, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> bytes:
    """Return the rotation as it travels, signed by both keys."""
    content = write(rotation)
    by_old, by_new = sign(old, _BY_OLD, content), sign(new, _BY_NEW, content)
    return write(_SignedRotation(content=content, by_old=by_old, by_new=by_new))


def read_rotation(body: bytes, now: float) -> KeyRotation:
    """Return a rotation at the platform's time ``now`` (Unix, in seconds); whose ``old`` is, the registry must say.

    Raises:
        InvalidMessage: it is none, not signed by both keys, or not of now.
    """
    signed = read(_SignedRotation, body)
    rotation = read(KeyRotation, signed.content)
    check_signature(rotation.old, signed.by_old, _BY_OLD, signed.content)
    check_signature(rotation.signing, signed.by_new, _BY_NEW, signed.content)
    check_sealing_key(rotation.sealing)
    if not is_timely(rotation.at, now):
        raise InvalidMessage("The rotation is too old, or the device's clock is wrong.")
    return rotation
