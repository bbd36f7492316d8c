"""How a device asks to join the network, and what it is answered.

A :class:`JoinRequest` is signed by the device's Ed25519 key and carries a proof by the join token's secret, which is
never sent. The answer is sealed to the device's X25519 key and bound to the very request and to the token, so that a
device takes credentials only from somebody who knows the token's key: the platform. A refusal is plain.

**Replays.** A request has a nonce and a time. The platform refuses one whose time is more than :data:`LIFETIME` from
its own clock, and one whose nonce it has seen: it keeps nonces, in the registry (``registry/nonces.py``), for as long
as the time alone would let the request pass. A device keeps none: an answer fits one request only.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import Field, SecretStr, StringConstraints, model_validator

from broker_config.proof import proof
from broker_config.regions import Region
from starai.errors import StarAIError
from tasks.bounded import BoundedObject
from tasks.deployment import Deployment
from tasks.envelope import Base64, Bytes32, InvalidMessage, Message, Signature, check_signature, read, sign, write
from tasks.sealing import check_sealing_key, open_sealed, seal

#: How far a message's time may be from the platform's clock, either way, in seconds.
LIFETIME = 300.0

#: What the token's proof and the device's signature are for.
REQUEST = "starai join request v1"
_ANSWER = "starai join answer v1"

Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,63}$")]


class Refusal(StrEnum):
    """Why a device may not join. The first five are the token's."""

    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105
    WRONG_PROOF = "wrong-proof"
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED_UP = "used-up"
    MALFORMED = "malformed"
    STALE = "stale"
    REPLAYED = "replayed"
    RETIRED_KEY = "retired-key"
    OTHER_OWNER = "other-owner"
    BLACKLISTED = "blacklisted"
    NOTHING_FITS = "nothing-fits"
    UNAVAILABLE = "unavailable"


class JoinRefused(StarAIError):
    """The platform does not let the device join; ``reason`` says why, for a program."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class JoinRequest(Message):
    """What a device says of itself when it asks to join; all of it is a claim but the keys.

    Attributes:
        token: the join token's id.
        signing, sealing: the device's public keys, Ed25519 and X25519.
        name: what the owner calls the device.
        hardware_id: a SHA-256 over facts of the hardware, in hexadecimal.
        measurement: what the device measured, as ``models.measurement`` has it.
        nonce: 16 random bytes in hexadecimal.
        at: Unix time in seconds, by the device's clock.
    """

    version: Literal[1] = 1
    token: Id
    signing: Bytes32
    sealing: Bytes32
    name: Annotated[str, StringConstraints(pattern=r"^[^\p{C}]{1,100}$")]
    hardware_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    measurement: BoundedObject
    nonce: Nonce = Field(default_factory=lambda: secrets.token_hex(16))
    at: float


class _SignedRequest(Message):
    content: Base64
    signature: Signature
    proof: Bytes32


class Credentials(Message):
    """The device's own broker user."""

    user: Id
    password: Annotated[SecretStr, Field(min_length=1, max_length=255)]


class Accepted(Message):
    """What a device that may join is told; it travels sealed."""

    device: Id
    region: Region
    credentials: Credentials
    deployments: Annotated[tuple[Deployment, ...], Field(min_length=1, max_length=64)]


class JoinAnswer(Message):
    """The answer as it travels: ``sealed`` holds an :class:`Accepted`; else it was refused, and says why."""

    version: Literal[1] = 1
    sealed: Base64 | None = None
    refusal: Refusal | None = None
    message: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if (self.sealed is None) == (self.refusal is None):
            raise ValueError("an answer is sealed or a refusal")
        return self


@dataclass(frozen=True)
class ReceivedRequest:
    """A request whose signature is right and whose time is; its proof and nonce are the registry's to check.

    Attributes:
        content: the very bytes that ``proof`` is over.
    """

    request: JoinRequest
    content: bytes
    proof: bytes


def write_join_request(request: JoinRequest, signing: Ed25519PrivateKey, token_key: bytes) -> bytes:
    """Return the request as it travels: signed, and proven by the token's key (:func:`broker_config.proof.proof_key`).

    Raises:
        InvalidMessage: it is too large.
    """
    content = write(request)
    signed = _SignedRequest(
        content=content, signature=sign(signing, REQUEST, content), proof=proof(token_key, REQUEST, content)
    )
    return write(signed)


def read_join_request(body: bytes, now: float) -> ReceivedRequest:
    """Return a stranger's request, at the platform's time ``now`` (Unix, in seconds).

    Raises:
        InvalidMessage: it is none, or its signature is not its own key's.
        JoinRefused: it is too old, or from the future.
    """
    signed = read(_SignedRequest, body)
    request = read(JoinRequest, signed.content)
    check_signature(request.signing, signed.signature, REQUEST, signed.content)
    check_sealing_key(request.sealing)
    if not is_timely(request.at, now):
        raise JoinRefused(Refusal.STALE, "The request is too old, or the device's clock is wrong: set it, try again.")
    return ReceivedRequest(request, signed.content, signed.proof)


def is_timely(at: float, now: float) -> bool:
    """Tell whether a message's time is near enough to the clock of who reads it."""
    return abs(now - at) <= LIFETIME


def write_acceptance(accepted: Accepted, sealing: bytes, request: bytes, token_key: bytes) -> bytes:
    """Return the answer to a request (its body as it came), sealed to the device's public key.

    Raises:
        InvalidMessage: it is too large, or the key cannot be used.
    """
    return write(JoinAnswer(sealed=seal(sealing, _plain(accepted), _context(request, token_key))))


def write_refusal(refused: JoinRefused) -> bytes:
    """Return the answer to a request that is refused."""
    return write(JoinAnswer(refusal=refused.reason, message=str(refused)[:500]))


def read_join_answer(body: bytes, sealing: X25519PrivateKey, request: bytes, token_key: bytes) -> Accepted:
    """Return what the platform answered to a request (its body as it was sent).

    Raises:
        JoinRefused: the platform refused. Anybody who may answer could have said so: try again before giving up.
        InvalidMessage: it is no answer, or not the answer to this request from who knows the token.
    """
    answer = read(JoinAnswer, body)
    if answer.refusal is not None:
        raise JoinRefused(answer.refusal, answer.message or f"The platform refused: {answer.refusal}.")
    if answer.sealed is None:
        raise InvalidMessage("The answer is neither sealed nor a refusal.")
    return read(Accepted, open_sealed(sealing, answer.sealed, _context(request, token_key)))


def _context(request: bytes, token_key: bytes) -> bytes:
    """Return what binds an answer to its request, and that only who knows the token's key can compute."""
    return proof(token_key, _ANSWER, hashlib.sha256(request).digest())


def _plain(accepted: Accepted) -> bytes:
    """Return the JSON that is sealed, the password in it."""
    data: dict[str, Any] = accepted.model_dump(mode="json")
    data["credentials"]["password"] = accepted.credentials.password.get_secret_value()
    return json.dumps(data, separators=(",", ":")).encode()
