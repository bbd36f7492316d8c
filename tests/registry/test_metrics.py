"""What is counted for metrics, on either kind of database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from broker_config.regions import Region
from registry.database import reading, session
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.metrics import OTHER, Ended, devices_by_state, ended_between
from registry.states import set_state
from registry.task_state import TaskState
from registry.task_tables import Task
from starai.wire import Reason

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
BOUNDS = (0.5, 2.0)


def seconds(count: float) -> datetime:
    return START + timedelta(seconds=count)


def add(registry: Session, name: str, state: TaskState, took: float | None, **more: object) -> None:
    ended = None if took is None else seconds(took)
    registry.add(Task(submitter="ann", id=name, submitted_at=START, ended_at=ended, state=state, **more))
    registry.flush()


@pytest.fixture
def ledger(registry: Session) -> Session:
    add(registry, "quick", TaskState.SUCCEEDED, 0.25)
    add(registry, "slow", TaskState.SUCCEEDED, 1.5, attempts=3, republished=1)
    add(registry, "slower", TaskState.SUCCEEDED, 8.0, attempts=1)
    add(registry, "bad", TaskState.FAILED, 0.1, reason=Reason.BAD_INPUT, attempts=1)
    add(registry, "odd", TaskState.FAILED, 0.2, reason="what a stranger wrote")
    add(registry, "late", TaskState.EXPIRED, 9.0)
    add(registry, "open", TaskState.STARTED, None, attempts=2)
    return registry


def test_ended_tasks_are_counted_by_their_state_and_failures_by_their_reason(ledger: Session) -> None:
    found = ended_between(ledger, START, seconds(60), BOUNDS)

    assert found.tasks == {TaskState.SUCCEEDED: 3, TaskState.FAILED: 2, TaskState.EXPIRED: 1}
    assert found.failed == {Reason.BAD_INPUT: 1, OTHER: 1}


def test_the_time_to_a_result_is_counted_within_each_bound_and_in_all(ledger: Session) -> None:
    found = ended_between(ledger, START, seconds(60), BOUNDS)

    assert found.answered == [1, 2, 3]
    assert found.seconds == pytest.approx(9.75, abs=0.01)


def test_attempts_that_ended_no_task_are_lost(ledger: Session) -> None:
    found = ended_between(ledger, START, seconds(60), BOUNDS)

    assert (found.lost, found.republished) == (2, 1)


def test_times_that_follow_each_other_count_each_task_once(ledger: Session) -> None:
    total = Ended()
    for end in (0.25, 1.5, 60.0):
        total += ended_between(ledger, seconds({0.25: 0, 1.5: 0.25, 60.0: 1.5}[end]), seconds(end), BOUNDS)

    assert total == ended_between(ledger, START, seconds(60), BOUNDS)


def test_nothing_ended_is_nothing(registry: Session) -> None:
    assert ended_between(registry, START, seconds(60), BOUNDS) == Ended(answered=[0, 0, 0])


def test_devices_are_counted_by_state_also_where_there_is_none(registry: Session) -> None:
    enrol_device(registry, "device-2", "ada", Region.ASIA)
    set_state(registry, "device-2", DeviceState.ACTIVE, "tested")

    assert devices_by_state(registry) == {
        DeviceState.ACTIVE: 1,
        DeviceState.INACTIVE: 1,
        DeviceState.OFFLINE: 0,
        DeviceState.BLACKLISTED: 0,
    }


def test_looking_waits_for_nobody_who_writes(engine) -> None:
    with session(engine) as writer, reading(engine) as reader:
        add(writer, "new", TaskState.SUCCEEDED, 1.0)

        assert ended_between(reader, START, seconds(60), BOUNDS).tasks == {}
