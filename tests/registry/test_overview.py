"""What operators see of everything at once, on either kind of database."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.overview import all_devices, all_owners, all_tokens
from registry.owners import add_owner
from registry.tokens import issue_token

SOON = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=7)


def test_owners_come_by_name_with_how_many_devices_are_theirs(registry: Session) -> None:
    add_owner(registry, "bob")
    add_owner(registry, "aaron")
    enrol_device(registry, "device-2", "ada", Region.ASIA)

    assert [(owner.name, owner.devices) for owner in all_owners(registry)] == [("aaron", 0), ("ada", 2), ("bob", 0)]


def test_tokens_come_newest_first_with_their_owners(registry: Session) -> None:
    add_owner(registry, "bob")
    issued = [issue_token(registry, owner, Region.ASIA, SOON)[0] for owner in ("ada", "bob", "ada")]

    found = all_tokens(registry)

    assert [(each.token.id, each.owner) for each in found] == list(zip(issued, ("ada", "bob", "ada"), strict=True))[
        ::-1
    ]


def test_devices_come_by_id_with_their_owner_and_what_they_host(registry: Session) -> None:
    add_owner(registry, "bob")
    enrol_device(registry, "device-0", "bob", Region.ASIA)
    deploy(registry, "device-1", [Planned("phi3-3.8b", Tier.MEDIUM), Planned("all-minilm-l6-v2", Tier.TINY)])

    found = [(each.device.id, each.owner, [d.model for d in each.deployments]) for each in all_devices(registry)]

    assert found == [("device-0", "bob", []), ("device-1", "ada", ["all-minilm-l6-v2", "phi3-3.8b"])]
