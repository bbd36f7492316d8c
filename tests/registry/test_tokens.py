from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session

from broker_config.proof import proof, proof_key
from broker_config.regions import Region
from registry.database import session
from registry.owners import add_owner
from registry.tables import Token
from registry.tokens import TokenReason, TokenRefused, check_token, issue_token, revoke_token, spend_token, tokens_of
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=7)


def issue(registry: Session, uses: int = 1) -> tuple[str, bytes]:
    """Return a token's id and the key to prove it with."""
    token, secret = issue_token(registry, "ada", Region.ASIA, LATER, uses)
    return token, proof_key(token, secret.get_secret_value())


def check(registry: Session, token: str, key: bytes, at: datetime = NOW) -> Token:
    return check_token(registry, token, "join", b"content", proof(key, "join", b"content"), at)


def reason(act: Callable[[], object]) -> TokenReason:
    with pytest.raises(TokenRefused) as caught:
        act()
    return caught.value.reason


def test_a_token_is_proven_by_its_secret(registry: Session) -> None:
    token, key = issue(registry)
    found = check(registry, token, key)
    assert (found.id, found.region, found.uses_left) == (token, Region.ASIA, 1)


def test_a_secret_is_kept_nowhere_in_the_database(engine: Engine) -> None:
    with session(engine) as registry:
        add_owner(registry, "ada")
        _, secret = issue_token(registry, "ada", Region.ASIA, LATER)
    with engine.connect() as connection:
        everything = [
            str(connection.execute(text(f"SELECT * FROM {t}")).all()) for t in inspect(engine).get_table_names()
        ]
    assert secret.get_secret_value() not in "".join(everything)


def test_a_token_shows_neither_secret_nor_key(registry: Session) -> None:
    token, secret = issue_token(registry, "ada", Region.ASIA, LATER)
    shown = repr(registry.get(Token, token)) + repr(secret)
    assert "proof_key" not in shown
    assert secret.get_secret_value() not in shown


def test_each_refusal_has_a_reason_of_its_own(registry: Session) -> None:
    token, key = issue(registry)
    revoked, its_key = issue(registry)
    revoke_token(registry, revoked, NOW)
    assert reason(lambda: check(registry, "nobodys", key)) is TokenReason.UNKNOWN_TOKEN
    assert reason(lambda: check(registry, token, its_key)) is TokenReason.WRONG_PROOF
    assert reason(lambda: check(registry, revoked, its_key)) is TokenReason.REVOKED
    assert reason(lambda: check(registry, token, key, LATER)) is TokenReason.EXPIRED
    spend_token(registry, token, NOW)
    assert reason(lambda: spend_token(registry, token, NOW)) is TokenReason.USED_UP


def test_who_does_not_prove_the_token_learns_nothing_of_it(registry: Session) -> None:
    token, _ = issue(registry)
    revoke_token(registry, token, NOW)
    assert reason(lambda: check(registry, token, bytes(32))) is TokenReason.WRONG_PROOF


def test_a_proof_for_another_purpose_is_wrong(registry: Session) -> None:
    token, key = issue(registry)
    other = proof(key, "leave", b"content")
    assert reason(lambda: check_token(registry, token, "join", b"content", other, NOW)) is TokenReason.WRONG_PROOF


def test_a_token_that_ended_cannot_be_spent(registry: Session) -> None:
    revoked, expired = issue(registry)[0], issue(registry)[0]
    revoke_token(registry, revoked, NOW)
    assert reason(lambda: spend_token(registry, revoked, NOW)) is TokenReason.REVOKED
    assert reason(lambda: spend_token(registry, expired, LATER)) is TokenReason.EXPIRED
    assert reason(lambda: spend_token(registry, "nobodys", NOW)) is TokenReason.UNKNOWN_TOKEN


def test_a_token_has_as_many_uses_as_it_was_given(registry: Session) -> None:
    token, _ = issue(registry, uses=3)
    for _ in range(3):
        spend_token(registry, token, NOW)
    assert reason(lambda: spend_token(registry, token, NOW)) is TokenReason.USED_UP
    assert [(found.uses, found.uses_left) for found in tokens_of(registry, "ada")] == [(3, 0)]


def test_revoking_twice_keeps_the_first_time(registry: Session) -> None:
    token, _ = issue(registry)
    revoke_token(registry, token, NOW)
    revoke_token(registry, token, LATER)
    assert [found.revoked_at for found in tokens_of(registry, "ada")] == [NOW]


def test_a_token_for_nobody_is_refused(registry: Session) -> None:
    with pytest.raises(RegistryError, match="at least 1"):
        issue_token(registry, "ada", Region.ASIA, LATER, uses=0)


@pytest.mark.process
def test_processes_that_spend_at_once_share_the_uses_there_are(
    engine: Engine, at_once: Callable[..., list[str]]
) -> None:
    with session(engine) as registry:
        add_owner(registry, "ada")
        token, _ = issue(registry, uses=5)
    code = f"""
for _ in range(5):
    try:
        with session(engine) as registry:
            spend_token(registry, {token!r}, datetime(2026, 5, 1, tzinfo=UTC))
        print("spent")
    except TokenRefused as refused:
        print(refused.reason)
"""
    imports = "from datetime import UTC, datetime\nfrom registry.tokens import TokenRefused, spend_token"
    said = "".join(at_once(code, imports)).split()
    assert (said.count("spent"), said.count("used-up")) == (5, 15)
