from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from registry.nonces import is_new
from registry.tables import SeenNonce

NOW = datetime(2026, 5, 1, tzinfo=UTC)
KEPT = timedelta(minutes=10)


def test_a_nonce_is_new_once(registry: Session) -> None:
    assert is_new(registry, "a", NOW, KEPT)
    assert not is_new(registry, "a", NOW + KEPT, KEPT)
    assert is_new(registry, "b", NOW, KEPT)


def test_nonces_are_forgotten_when_they_are_no_longer_needed(registry: Session) -> None:
    for hour in range(3):
        is_new(registry, f"nonce-{hour}", NOW + timedelta(hours=hour), KEPT)
    assert [seen.nonce for seen in registry.exec(select(SeenNonce))] == ["nonce-2"]


@pytest.mark.process
def test_of_processes_that_see_a_nonce_at_once_one_sees_it_first(
    engine: Engine, at_once: Callable[..., list[str]]
) -> None:
    code = """
with session(engine) as registry:
    print(is_new(registry, "a", datetime(2026, 5, 1, tzinfo=UTC), timedelta(minutes=10)))
"""
    imports = "from datetime import UTC, datetime, timedelta\nfrom registry.nonces import is_new"
    assert sorted("".join(at_once(code, imports)).split()) == ["False"] * 3 + ["True"]
