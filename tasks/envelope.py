"""Signed content: bytes that were signed as they are, so that nobody has to agree on how to write JSON twice."""

from typing import Annotated, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from broker_config import base64url
from starai.errors import StarAIError

#: The largest message about joining or keys, in bytes, either way.
MAX_MESSAGE = 64 * 1024


class InvalidMessage(StarAIError, ValueError):
    """A message that is not what it should be: malformed, too large, changed on its way, or not for this reader."""


def _bytes(value: object) -> object:
    return base64url.decode(value) if isinstance(value, str) else value


#: Bytes that travel as base64url.
Base64 = Annotated[bytes, BeforeValidator(_bytes), PlainSerializer(base64url.encode, when_used="json")]
#: The 32 bytes of a public key or of a proof.
Bytes32 = Annotated[Base64, Field(min_length=32, max_length=32)]
#: The 64 bytes of an Ed25519 signature.
Signature = Annotated[Base64, Field(min_length=64, max_length=64)]


class Message(BaseModel):
    """Base of what travels: frozen, and with nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


AnyMessage = TypeVar("AnyMessage", bound=BaseModel)


def read(kind: type[AnyMessage], body: bytes, most: int = MAX_MESSAGE) -> AnyMessage:
    """Return the message in a body of JSON of so many bytes at most.

    Raises:
        InvalidMessage: it is none of that kind; the reason tells where it is wrong, and repeats nothing of it.
    """
    if len(body) > most:
        raise InvalidMessage(f"The message has {len(body):,} bytes; the most is {most:,}.")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = next((str(part) for part in first["loc"] if part in kind.model_fields), "it")
    # Outside of the handler: the cause would show what was read, and some messages hold a password.
    raise InvalidMessage(f"The message is not a {kind.__name__}: {where} is wrong ({first['type']}).")


def write(message: BaseModel, most: int = MAX_MESSAGE) -> bytes:
    """Return the message as compact JSON of so many bytes at most.

    Raises:
        InvalidMessage: it is larger than what is taken.
    """
    body = message.model_dump_json(exclude_none=True).encode()
    if len(body) > most:
        raise InvalidMessage(f"The message would have {len(body):,} bytes; the most is {most:,}.")
    return body


def sign(key: Ed25519PrivateKey, purpose: str, content: bytes) -> bytes:
    """Return the key's signature under content for one purpose, so that none can stand in for another's."""
    return key.sign(_signed(purpose, content))


def check_signature(public: bytes, signature: bytes, purpose: str, content: bytes) -> None:
    """Do nothing if the signature is right.

    Raises:
        InvalidMessage: it is not.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _signed(purpose, content))
    except (InvalidSignature, ValueError) as error:
        raise InvalidMessage("The message's signature is wrong: it was changed, or another key signed it.") from error


def _signed(purpose: str, content: bytes) -> bytes:
    return purpose.encode() + b"\0" + content
