"""Which devices hear of a cancelled task, and what those hear that ask."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.cancelled import cancelled_for, devices_to_tell
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.states import set_state
from registry.task_state import TaskState
from registry.task_tables import Task

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PHI, LLAMA = Planned("phi3-3.8b", Tier.MEDIUM), Planned("llama3-8b", Tier.MEDIUM)


@pytest.fixture
def ledger(registry: Session) -> Session:
    """A registry of four devices; three host phi3-3.8b: one at work, one at rest, one shut out."""
    for device, state in (("device-2", DeviceState.ACTIVE), ("device-3", DeviceState.BLACKLISTED)):
        enrol_device(registry, device, "ada", Region.ASIA)
        set_state(registry, device, state, "a test")
    enrol_device(registry, "device-4", "ada", Region.ASIA)
    for device in ("device-1", "device-2", "device-3"):
        deploy(registry, device, [PHI])
    deploy(registry, "device-4", [LLAMA])
    return registry


def cancelled(registry: Session, task: str, **more: object) -> None:
    defaults = {"model": "phi3-3-8b", "cancelled_at": NOW, "expires_at": NOW + timedelta(minutes=1)}
    registry.add(Task(submitter="ann", id=task, **defaults | more))


def told(registry: Session, device: str = "device-1", most: int = 100) -> list[str]:
    return [task.id for task in cancelled_for(registry, device, NOW, most)]


def test_all_that_host_the_model_are_told_whether_at_work_or_not_but_who_is_shut_out(ledger: Session):
    assert devices_to_tell(ledger, "phi3-3-8b") == ["device-1", "device-2"]


def test_where_the_model_is_not_known_all_are_told(ledger: Session):
    assert devices_to_tell(ledger, None) == ["device-1", "device-2", "device-4"]


def test_a_device_that_asks_hears_of_the_cancelled_tasks_of_its_models(ledger: Session):
    cancelled(ledger, "mine")
    cancelled(ledger, "another model's", model="llama3-8b")
    cancelled(ledger, "not known of which", model=None)
    cancelled(ledger, "not cancelled", cancelled_at=None)

    assert sorted(told(ledger)) == ["mine", "not known of which"]
    assert told(ledger, "nobody") == []


def test_it_hears_neither_of_what_has_expired_nor_of_what_has_ended_otherwise(ledger: Session):
    cancelled(ledger, "expired", expires_at=NOW - timedelta(seconds=1))
    cancelled(ledger, "done before", state=TaskState.SUCCEEDED)
    cancelled(ledger, "recorded", state=TaskState.CANCELLED)
    cancelled(ledger, "without a deadline", expires_at=None)

    assert sorted(told(ledger)) == ["recorded", "without a deadline"]


def test_where_there_are_too_many_it_hears_of_the_newest(ledger: Session):
    for seconds in range(5):
        cancelled(ledger, f"t{seconds}", cancelled_at=NOW + timedelta(seconds=seconds))

    assert told(ledger, most=2) == ["t4", "t3"]
