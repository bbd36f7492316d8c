"""What the sweep is made of, where no broker is needed; and what is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from broker_config.regions import Region
from registry.columns import now
from registry.database import session
from registry.devices import enrol_device
from registry.health_tables import HealthCycle
from registry.owners import add_owner
from registry.retention import HistorySettings, LedgerSettings
from registry.tables import DeviceEvent, EventKind
from registry.task_state import TaskState
from registry.task_tables import DeadLetter, LedgerMark, Task, TaskResult
from tasks.dead_letters import failure_of, task_of
from tasks.hoarding_rule import held_by, holding_since, suspects
from tasks.retention import Retention
from tasks.told import Told

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def channel(user: str, connection: str, held: int) -> dict:
    return {"user": user, "connection_details": {"name": connection}, "messages_unacknowledged": held}


def letter(**values) -> DeadLetter:
    plain = {"submitter": "ann", "task": "t1", "reply_to": "reply.ann-1", "queue": "q", "reason": "rejected"}
    return DeadLetter(**plain | {"deaths": 1} | values)


def test_what_was_told_is_remembered_for_a_time():
    clock = [0.0]
    told = Told(60, lambda: clock[0])
    told.add(("ann", "t1"))

    assert ("ann", "t1") in told
    assert ("ann", "t2") not in told
    clock[0] = 61
    assert ("ann", "t1") not in told


def test_devices_hold_by_the_connections_that_have_something_unacknowledged():
    channels = [
        channel("d1", "a", 2),
        channel("d1", "b", 0),
        channel("d1", "c", 1),
        channel("ann", "x", 5),
        {"user": "d2", "connection_details": [], "messages_unacknowledged": 1},
    ]

    assert held_by(channels, ["d1", "d2"]) == {"d1": {"a", "c"}}


def test_a_suspect_held_something_at_every_look():
    since = holding_since({"d1": ago(70), "d2": ago(70)}, ["d1", "d3"], NOW)

    assert since == {"d1": ago(70), "d3": NOW}
    assert suspects(since, 65, NOW) == ["d1"]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ({}, ("ann", "t1")),
        ({"submitter": "platform"}, ("ann", "t1")),  # which the platform put back
        ({"submitter": "eve"}, None),
        ({"submitter": None}, None),
        ({"task": None}, None),
        ({"reply_to": None}, None),
    ],
)
def test_a_dead_letter_is_somebodys_task_or_nobodys(values, task):
    assert task_of(letter(**values)) == task


def test_the_end_of_a_dead_letter_says_why_how_often_and_where():
    failure = failure_of(letter(reason="delivery_limit", deaths=3)).failure

    assert "came back more often than the queue allows (3 times, last by the queue q)" in failure.message


@pytest.fixture
def ledger(engine):
    """Results of 1,000 bytes, one an hour, of tasks that ended a day later each; and a mark."""
    with session(engine) as registry:
        for number in range(10):
            ended = now() - timedelta(days=number)
            registry.add(Task(submitter="ann", id=f"t{number}", state=TaskState.SUCCEEDED, ended_at=ended))
            at = now() - timedelta(hours=number, minutes=5)
            registry.add(TaskResult(submitter="ann", task=f"t{number}", at=at, body=bytes(1000)))
        registry.add(LedgerMark(id="m", at=now() - timedelta(hours=2)))
    return engine


def left(engine, column) -> set[str]:
    with Session(engine) as registry:
        return set(registry.exec(select(column)))


def test_results_are_kept_for_a_time_and_up_to_a_size(ledger):
    settings = LedgerSettings(ledger_result_hours=6, ledger_result_gib=3000 / 2**30)

    Retention(ledger, settings, portion=2).forget()

    assert left(ledger, TaskResult.task) == {"t0", "t1", "t2"}
    assert left(ledger, LedgerMark.id) == set()


def test_results_that_come_later_count_too(ledger):
    retention = Retention(ledger, LedgerSettings(ledger_result_gib=10_000 / 2**30, ledger_task_days=30))
    retention.forget()
    assert len(left(ledger, TaskResult.task)) == 10
    with session(ledger) as registry:
        registry.add(TaskResult(submitter="ann", task="new", at=now() - timedelta(seconds=61), body=bytes(1000)))
    retention._counted = now() - timedelta(minutes=2)

    retention.forget()

    assert left(ledger, TaskResult.task) == {"new", *(f"t{number}" for number in range(9))}


def test_tasks_are_kept_for_a_week(ledger):
    Retention(ledger, portion=1).forget()

    assert left(ledger, Task.id) == {f"t{number}" for number in range(7)}
    assert left(ledger, TaskResult.task) == {f"t{number}" for number in range(7)}


@pytest.fixture
def history(engine):
    """A device that was activated and failed once a month, and a health cycle a day."""
    with session(engine) as registry:
        add_owner(registry, "ada")
        enrol_device(registry, "d1", "ada", Region.ASIA)
        for month in reversed(range(6)):
            at = now() - timedelta(days=30 * month, hours=1)
            registry.add(DeviceEvent(device_id="d1", at=at, kind=EventKind.ACTIVE, reason=f"a{month}"))
            registry.add(DeviceEvent(device_id="d1", at=at, kind=EventKind.SILENT, reason=f"s{month}", cost=0.05))
        old = now() - timedelta(days=300)
        registry.add(DeviceEvent(device_id="d1", at=old, kind=EventKind.JOINED, reason="joined"))
        for day in reversed(range(10)):
            registry.add(HealthCycle(began_at=now() - timedelta(days=day, minutes=1)))
    return engine


def test_what_cost_a_device_trust_is_kept_and_of_the_rest_the_last_of_each_kind(history):
    Retention(history, portion=1).forget()

    costly = {f"s{month}" for month in range(6)}
    assert left(history, DeviceEvent.reason) == {"a0", "a1", "a2", "joined", *costly}


def test_health_cycles_are_kept_for_a_week_and_the_last_one_for_ever(history):
    Retention(history).forget()
    assert len(left(history, HealthCycle.id)) == 7

    Retention(history, history=HistorySettings(history_cycle_days=1e-9)).forget()
    assert len(left(history, HealthCycle.id)) == 1
