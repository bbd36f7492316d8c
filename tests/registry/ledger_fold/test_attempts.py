"""Attempts at a task: given back, lost, cleared for another, overrun."""

from registry.ledger_rows import AttemptRow
from registry.task_state import Outcome, TaskState
from starai.wire import State
from tests.registry.ledger_fold.recorded import KEY, Ledger, at, reported, started, submitted, succeeded


def test_a_task_that_is_given_back_waits_again(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), reported(State.REQUEUED, 2, message="out of memory"))
    assert ledger.task.state is TaskState.QUEUED
    assert (ledger.attempt().outcome, ledger.attempt().reason) == (Outcome.RETURNED, "out of memory")
    ledger.record(started(3, "device-2"))
    assert (ledger.task.state, ledger.task.device, ledger.task.started_at) == (TaskState.STARTED, "device-2", at(3))


def test_a_task_that_is_given_back_without_a_reason_is_lost(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), reported(State.REQUEUED, 2))
    assert ledger.attempt().outcome is Outcome.LOST


def test_why_a_task_was_given_back_is_known_though_it_was_cleared_for_another_before(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    ledger.attempt().outcome = Outcome.LOST
    ledger.record(reported(State.REQUEUED, 2, message="out of memory"))
    assert (ledger.attempt().outcome, ledger.attempt().reason) == (Outcome.RETURNED, "out of memory")


def test_a_task_that_runs_elsewhere_stays_started_when_one_device_gives_it_back(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), started(2, "device-2"), reported(State.REQUEUED, 3))
    assert (ledger.task.state, ledger.task.device) == (TaskState.STARTED, "device-2")


def test_a_device_that_gives_back_what_it_never_told_to_have_begun_made_an_attempt(ledger: Ledger) -> None:
    ledger.record(submitted(), reported(State.REQUEUED, 2, claimed=0.01))
    assert (ledger.task.state, ledger.attempt().outcome) == (TaskState.QUEUED, Outcome.LOST)


def test_a_lost_attempt_that_answers_first_wins(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    ledger.attempt().outcome = Outcome.LOST
    ledger.record(started(2, "device-2"), succeeded(3))
    assert (ledger.task.device, ledger.attempt().outcome) == ("device-1", Outcome.SUCCEEDED)


def test_an_attempt_that_overran_stays_one_though_its_answer_counts(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    ledger.attempt().outcome = Outcome.OVERRAN
    ledger.record(succeeded(99))
    assert (ledger.task.state, ledger.attempt().outcome) == (TaskState.SUCCEEDED, Outcome.OVERRAN)


def test_a_cleared_attempt_starts_its_task_and_keeps_the_time_of_its_clearance(ledger: Ledger) -> None:
    ledger.record(submitted())
    ledger.attempts[KEY] = {"run-1": AttemptRow("ada", "t", "run-1", "device-1", at(1), cleared=True)}
    ledger.record(started(2))
    assert (ledger.task.state, ledger.task.started_at) == (TaskState.STARTED, at(1))
    assert ledger.attempt().cleared
