"""What comes before its time, late or once more."""

from registry.ledger_rows import TaskRow
from registry.task_state import Outcome, TaskState
from starai.wire import State
from tests.registry.ledger_fold.recorded import KEY, REPLY, Ledger, at, reported, started, submitted, succeeded


def test_a_report_that_overtook_its_submission_within_a_batch_counts(ledger: Ledger) -> None:
    ledger.record(started(1), submitted(), succeeded(2))
    assert ledger.task.state is TaskState.SUCCEEDED


def test_a_report_of_a_task_that_nobody_submitted_is_an_orphan(ledger: Ledger) -> None:
    report = started(1)
    assert ledger.record(report).orphans == [report]
    assert ledger.tasks == {}
    assert ledger.attempts == {}


def test_the_first_end_stands(ledger: Ledger) -> None:
    ledger.record(submitted(), reported(State.CANCELLED, 1, None))
    changes = ledger.record(succeeded(2))
    assert [one.reason for one in changes.refused] == ["the task has ended"]
    assert ledger.task.state is TaskState.CANCELLED
    assert (ledger.results, ledger.attempts, ledger.usage) == ({}, {}, {})


def test_a_late_answer_of_a_started_attempt_ends_the_attempt_alone(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), started(2, "device-2"), succeeded(3), succeeded(4, "device-2"))
    assert (ledger.task.device, ledger.task.ended_at, ledger.task.attempts) == ("device-1", at(3), 2)
    assert (ledger.attempt("run-2").outcome, ledger.attempt("run-2").ended_at) == (Outcome.SUCCEEDED, at(4))
    assert len(ledger.usage) == 1


def test_a_start_after_the_end_is_an_attempt_and_nothing_more(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), succeeded(2), started(3, "device-2"))
    assert (ledger.task.state, ledger.task.device) == (TaskState.SUCCEEDED, "device-1")
    assert ledger.attempt("run-2").outcome is Outcome.RUNNING


def test_a_task_that_was_cancelled_before_it_was_known_stays_so(ledger: Ledger) -> None:
    ledger.tasks[KEY] = TaskRow("ada", "t", at(1), reply_to=REPLY, cancelled_at=at(1))
    ledger.record(submitted(2), reported(State.CANCELLED, 3, None))
    task = ledger.task
    assert (task.cancelled_at, task.state, task.model) == (at(1), TaskState.CANCELLED, "minilm")
    assert ledger.inputs == {}


def test_a_task_that_was_withdrawn_before_it_was_known_is_not_kept_to_be_sent_again(ledger: Ledger) -> None:
    ledger.tasks[KEY] = TaskRow("ada", "t", at(1), state=TaskState.REJECTED)
    ledger.record(submitted(2))
    assert (ledger.task.state, ledger.task.submitted_at, ledger.inputs) == (TaskState.REJECTED, at(2), {})


def test_a_device_that_answers_before_the_submission_is_known_is_heard_again(ledger: Ledger) -> None:
    ledger.tasks[KEY] = TaskRow("ada", "t", at(1), reply_to=REPLY, cancelled_at=at(1))
    assert len(ledger.record(started(2)).orphans) == 1


def test_a_failure_that_is_heard_again_does_not_end_the_retry(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), reported(State.FAILED, 2))
    ledger.task.state, ledger.task.ended_at = TaskState.QUEUED, None
    ledger.record(reported(State.FAILED, 2))
    assert ledger.task.state is TaskState.QUEUED
