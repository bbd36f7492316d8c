"""Join tokens: an owner's invitations of devices."""

import secrets
from datetime import datetime
from enum import StrEnum

from pydantic import SecretStr
from sqlmodel import Session, col, select

from broker_config.proof import is_proof, proof_key
from broker_config.regions import Region
from registry.columns import now
from registry.owners import find_owner
from registry.tables import Token
from starai.errors import RegistryError


class TokenReason(StrEnum):
    """Why a token does not count."""

    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105
    WRONG_PROOF = "wrong-proof"
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED_UP = "used-up"


class TokenRefused(RegistryError):
    """A token does not count; ``reason`` says why, for a program."""

    def __init__(self, reason: TokenReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def issue_token(
    session: Session, owner: str, region: Region, expires_at: datetime, uses: int = 1
) -> tuple[str, SecretStr]:
    """Make a token of an owner; return its id and its secret, which is kept nowhere.

    Args:
        session: the transaction.
        owner: the owner's name.
        region: where the devices that join by it stand.
        expires_at: until when they may.
        uses: how many may, at least 1.

    Raises:
        RegistryError: there is no such owner, or the token would be for nobody.
    """
    if uses < 1:
        raise RegistryError(f"A token for {uses} devices is for nobody: let it have at least 1 use.")
    token, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    owner_id = find_owner(session, owner).id
    assert owner_id is not None  # noqa: S101
    session.add(
        Token(
            id=token,
            owner_id=owner_id,
            region=region,
            proof_key=proof_key(token, secret),
            uses=uses,
            uses_left=uses,
            expires_at=expires_at,
        )
    )
    session.flush()
    return token, SecretStr(secret)


def check_token(session: Session, token: str, purpose: str, content: bytes, proof: bytes, at: datetime) -> Token:
    """Return the token by which the content is proven, if it still invites; others wait for it until this ends.

    A token that is used up is returned: a device that joined by it may join again.

    Raises:
        TokenRefused: it is unknown, the proof is wrong, it was revoked, or it expired.
    """
    # Only who proves the token may make others wait for it.
    if not is_proof(proof, _find(session, token).proof_key, purpose, content):
        raise TokenRefused(TokenReason.WRONG_PROOF, "The request is not proven by the token's secret: copy it again.")
    found = _lock(session, token)
    _refuse_ended(found, at)
    return found


def spend_token(session: Session, token: str, at: datetime) -> None:
    """Use the token once; of processes that do so at once, only as many succeed as it has uses left.

    Raises:
        TokenRefused: it is unknown, was revoked, expired, or is used up.
    """
    found = _lock(session, token)
    _refuse_ended(found, at)
    if found.uses_left == 0:
        raise TokenRefused(TokenReason.USED_UP, f"Token {token} is used up: ask for a new one.")
    found.uses_left -= 1
    session.add(found)
    session.flush()


def revoke_token(session: Session, token: str, at: datetime | None = None) -> None:
    """Let no device join by the token any more; those that did stay. Revoking twice keeps the first time.

    Raises:
        TokenRefused: it is unknown.
    """
    found = _lock(session, token)
    found.revoked_at = found.revoked_at or at or now()
    session.add(found)
    session.flush()


def tokens_of(session: Session, owner: str) -> list[Token]:
    """Return all tokens that the owner was ever given, the newest first.

    Raises:
        RegistryError: there is no such owner.
    """
    owned = select(Token).where(Token.owner_id == find_owner(session, owner).id)
    return list(session.exec(owned.order_by(col(Token.issued_at).desc(), col(Token.id))))


def _find(session: Session, token: str) -> Token:
    found = session.get(Token, token)
    if found is None:
        raise TokenRefused(TokenReason.UNKNOWN_TOKEN, f"The registry has no token {token[:63]!r}: ask for a new one.")
    return found


def _lock(session: Session, token: str) -> Token:
    """Return the token as it is in the database now; who else asks so waits until this transaction ends."""
    _find(session, token)
    return session.get_one(Token, token, with_for_update=True, populate_existing=True)


def _refuse_ended(token: Token, at: datetime) -> None:
    if token.revoked_at is not None:
        raise TokenRefused(TokenReason.REVOKED, f"Token {token.id} was revoked: ask for a new one.")
    if token.expires_at <= at:
        raise TokenRefused(TokenReason.EXPIRED, f"Token {token.id} has expired: ask for a new one.")
