"""What the ledger forgets, in both databases."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session, select

from registry.retention import (
    LedgerSettings,
    bytes_of_results,
    forget_marks,
    forget_results,
    forget_results_beyond,
    forget_tasks,
)
from registry.task_state import Action, TaskState
from registry.task_tables import Attempt, LedgerMark, Task, TaskAction, TaskInput, TaskResult

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def add_result(registry: Session, task: str, hours: float, size: int = 10) -> None:
    registry.add(TaskResult(submitter="ann", task=task, at=ago(hours), body=bytes(size)))
    registry.flush()


def add_task(registry: Session, task: str, **values) -> None:
    of_it = {"submitter": "ann", "task": task}
    registry.add_all(
        (
            Task(submitter="ann", id=task, **values),
            Attempt(**of_it, run="r", device="d", started_at=NOW),
            TaskAction(**of_it, action=Action.FAILED, reason="why"),
            TaskInput(**of_it, body=b"in"),
            TaskResult(**of_it, body=b"out"),
        )
    )
    registry.flush()


def left(registry: Session, table) -> list[str]:
    return sorted(row.task for row in registry.exec(select(table)))


def test_results_go_by_age_the_oldest_first_in_portions(registry):
    for hours in (30, 40, 50, 1):
        add_result(registry, f"of-{hours}", hours)

    assert forget_results(registry, ago(24), limit=2) == 20
    assert left(registry, TaskResult) == ["of-1", "of-30"]
    assert forget_results(registry, ago(24), limit=2) == 10
    assert forget_results(registry, ago(24), limit=2) == 0


def test_results_go_by_size_the_oldest_first_and_no_more_than_needed(registry):
    for hours in (1, 2, 3):
        add_result(registry, f"of-{hours}", hours, size=100)

    assert forget_results_beyond(registry, 150, limit=10) == 200
    assert left(registry, TaskResult) == ["of-1"]


def test_results_are_measured_between_two_times(registry):
    for hours in (1, 2, 3):
        add_result(registry, f"of-{hours}", hours, size=100)

    assert bytes_of_results(registry, None, NOW) == 300
    assert bytes_of_results(registry, ago(2), ago(1)) == 100
    assert bytes_of_results(registry, NOW, NOW) == 0


def test_a_task_goes_with_all_that_belongs_to_it_some_days_after_its_end(registry):
    add_task(registry, "old", state=TaskState.SUCCEEDED, ended_at=ago(24 * 8))
    add_task(registry, "recent", state=TaskState.SUCCEEDED, ended_at=ago(24))
    add_task(registry, "open", submitted_at=ago(24 * 30))

    assert forget_tasks(registry, ago(24 * 7), limit=10) == 1

    assert sorted(task.id for task in registry.exec(select(Task))) == ["open", "recent"]
    for table in (Attempt, TaskAction, TaskInput, TaskResult):
        assert left(registry, table) == ["open", "recent"]


def test_marks_go_after_an_hour(registry):
    registry.add_all((LedgerMark(id="old", at=ago(2)), LedgerMark(id="new", at=ago(0.5))))
    registry.flush()

    forget_marks(registry, ago(1))

    assert [mark.id for mark in registry.exec(select(LedgerMark))] == ["new"]


def test_how_long_what_is_kept_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("STARAI_LEDGER_RESULT_HOURS", "2")
    monkeypatch.setenv("STARAI_LEDGER_TASK_DAYS", "1")

    assert LedgerSettings() == LedgerSettings(ledger_result_hours=2, ledger_result_gib=10, ledger_task_days=1)
