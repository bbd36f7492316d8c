"""The join token: one line of text that lets a new device find the network, log in once and prove its invitation."""

import hashlib
import hmac
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, model_validator

from broker_config import base64url
from broker_config.address import address
from broker_config.errors import InvalidToken

_PREFIX = "starai-"
_CHECKSUM = 4
_LONGEST = 4096

_Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
_Port = Annotated[int, Field(ge=1, le=65535)]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,63}$")]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class JoinToken(BaseModel):
    """What an owner pastes into a device's terminal.

    Attributes:
        host, port, vhost, tls: where the broker is, and whether it is spoken to through TLS.
        web: the port of its web STOMP on the same host, for phones, where it has any; through TLS if the other is.
        ca: the SHA-256 of the DER form of the certificate of the broker's authority, in hexadecimal; with TLS only.
        user, password: the bootstrap login, which may do nothing but ask to join.
        id: names the token to the platform; no secret.
        secret: 32 random bytes as base64url. It is never sent: a request to join carries a proof by it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    host: _Host
    port: _Port
    web: _Port | None = None
    vhost: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    tls: bool
    ca: _Sha256 | None = None
    user: _Name
    password: Annotated[SecretStr, Field(min_length=1, max_length=255)]
    id: _Name
    secret: Annotated[SecretStr, Field(min_length=43, max_length=43)]

    @model_validator(mode="after")
    def _an_authority_with_tls_only(self) -> Self:
        if self.tls != (self.ca is not None):
            raise ValueError("a token names the broker's authority with TLS, and only then")
        return self

    def encode(self) -> str:
        """Return the token as one url-safe word, secrets included."""
        secrets = {"password": self.password.get_secret_value(), "secret": self.secret.get_secret_value()}
        content = json.dumps(self.model_dump(mode="json", exclude_none=True) | secrets, separators=(",", ":")).encode()
        return _PREFIX + base64url.encode(content + _checksum(content))

    def address(self, user: str, password: str) -> str:
        """Return the broker's address for a login; it holds the password."""
        return address(tls=self.tls, host=self.host, port=self.port, vhost=self.vhost, user=user, password=password)

    def bootstrap_address(self) -> str:
        """Return the broker's address for the bootstrap login; it holds the password."""
        return self.address(self.user, self.password.get_secret_value())


def parse(text: str) -> JoinToken:
    """Return the token that the text is; spaces and line breaks in it do not matter.

    Raises:
        InvalidToken: it is none: not a token's form, mistyped, or of another release. No message repeats a part of it.
    """
    content = _content("".join(text.split()))
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidToken("The token's checksum is right, but it is not one that a StarAI platform made.") from None
    if isinstance(data, dict) and data.get("version") != 1:
        raise InvalidToken("The token was made by another release of StarAI. Update StarAI on this device.")
    return _token(data)


def _content(word: str) -> bytes:
    if not word.startswith(_PREFIX) or len(word) > _LONGEST:
        raise InvalidToken(f"That is no join token: one begins with '{_PREFIX}' and is a single word. Copy it again.")
    try:
        whole = base64url.decode(word.removeprefix(_PREFIX))
    except ValueError:
        whole = b""
    content, checksum = whole[:-_CHECKSUM], whole[-_CHECKSUM:]
    if not hmac.compare_digest(_checksum(content), checksum):
        raise InvalidToken("The token was mistyped, or a part of it is missing. Copy it again, whole.")
    return content


def _token(data: Any) -> JoinToken:
    try:
        return JoinToken.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        known = [str(part) for part in first["loc"] if part in JoinToken.model_fields]
        where = f" in its {known[0]}" if known else ""
    # Outside of the handler: a traceback would show what was parsed, and so the secret.
    raise InvalidToken(f"The token's checksum is right, but it is not one that a StarAI platform made: wrong{where}.")


def _checksum(content: bytes) -> bytes:
    """Return what tells a mistyped token from others. It protects from nobody: the platform checks the proof."""
    return hashlib.sha256(content).digest()[:_CHECKSUM]
