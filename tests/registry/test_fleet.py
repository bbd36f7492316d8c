"""The fleet, on either kind of database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry import fleet as fleet_module
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.fleet import fleet, recent_attempts, slots_of, tasks_of
from registry.owners import find_owner
from registry.standing_rule import StandingSettings
from registry.task_state import Outcome, TaskState
from registry.task_tables import Attempt, Task, Usage

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def working(registry: Session) -> Session:
    """Ada's device-1 hosts two models and worked on two days; her device-2 does nothing."""
    enrol_device(registry, "device-2", "ada", Region.ASIA)
    plan = [Planned("phi3-3.8b", Tier.MEDIUM, slots=2), Planned("all-minilm-l6-v2", Tier.TINY, slots=4)]
    deploy(registry, "device-1", plan)
    owner = find_owner(registry, "ada").id
    for day in (1, 2):
        place = {"day": date(2026, 6, day), "owner_id": owner, "device": "device-1", "model": "phi3-3-8b"}
        registry.add(Usage(**place, tasks=10, failed=1))
    registry.flush()
    return registry


def attempt(registry: Session, task: str, begun: int, outcome: Outcome, device: str = "device-1") -> None:
    at = START + timedelta(seconds=begun)
    over = None if outcome is Outcome.RUNNING else at + timedelta(seconds=1)
    state = TaskState.STARTED if over is None else TaskState.SUCCEEDED
    registry.merge(Task(submitter="ann", id=task, model="phi3-3-8b", submitted_at=START, ended_at=over, state=state))
    run = f"{device}-{task}"
    registry.add(
        Attempt(submitter="ann", task=task, run=run, device=device, started_at=at, ended_at=over, outcome=outcome)
    )
    registry.flush()


def test_each_device_comes_with_what_it_hosts_and_did(working: Session) -> None:
    first, second = fleet(working, START, StandingSettings())

    assert (first.overview.device.id, first.slots, first.done, first.failed) == ("device-1", 6, 20, 2)
    assert (second.overview.device.id, second.slots, second.done, second.failed) == ("device-2", 0, 0, 0)
    assert [each.health.trust for each in (first, second)] == [1.0, 1.0]
    assert (slots_of(working), tasks_of(working)) == ({"device-1": 6}, {"device-1": 22})


def test_a_devices_attempts_come_newest_first_with_those_that_run(working: Session) -> None:
    attempt(working, "first", 1, Outcome.SUCCEEDED)
    attempt(working, "lost", 2, Outcome.LOST)
    attempt(working, "elsewhere", 3, Outcome.SUCCEEDED, "device-2")
    attempt(working, "now", 4, Outcome.RUNNING)

    found = recent_attempts(working, "device-1")

    assert [(a.task, a.outcome) for a in found] == [
        ("now", Outcome.RUNNING),
        ("lost", Outcome.LOST),
        ("first", Outcome.SUCCEEDED),
    ]
    assert found[0].model == "phi3-3-8b"
    assert [a.task for a in recent_attempts(working, "device-1", limit=2)] == ["now", "lost"]


def test_only_the_networks_last_tasks_are_looked_through(working: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "_LAST_TASKS", 2)
    for number in range(4):
        attempt(working, f"task-{number}", number, Outcome.SUCCEEDED)

    assert [a.task for a in recent_attempts(working, "device-1")] == ["task-3", "task-2"]
