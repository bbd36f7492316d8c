from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from broker_config.errors import InvalidName
from registry.submitters import add_submitter, find_submitter, revoke_submitter, submitters
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_submitter_is_added_once(registry: Session) -> None:
    add_submitter(registry, "eve")
    add_submitter(registry, "ann")
    add_submitter(registry, "ann")
    assert [submitter.name for submitter in submitters(registry)] == ["ann", "eve"]


def test_a_revoked_submitter_stays_known(registry: Session) -> None:
    add_submitter(registry, "ann")
    revoke_submitter(registry, "ann", NOW)
    revoke_submitter(registry, "ann", NOW + timedelta(days=1))
    assert find_submitter(registry, "ann").revoked_at == NOW


def test_a_revoked_submitter_who_is_added_again_may_submit(registry: Session) -> None:
    add_submitter(registry, "ann")
    revoke_submitter(registry, "ann")
    assert add_submitter(registry, "ann").revoked_at is None


@pytest.mark.parametrize("name", ["a.b", "", "Ann", "a b", "platform"])
def test_a_name_that_no_broker_user_can_have_is_refused(registry: Session, name: str) -> None:
    with pytest.raises(InvalidName):
        add_submitter(registry, name)


def test_an_unknown_submitter_cannot_be_revoked(registry: Session) -> None:
    with pytest.raises(RegistryError, match="no submitter 'ann'"):
        revoke_submitter(registry, "ann")
