"""Signs of life of attempts that go on."""

import copy

import pytest

from registry.task_state import Outcome, TaskState
from starai.wire import State
from tests.registry.ledger_fold.recorded import Ledger, at, progressed, reported, started, submitted, succeeded


def test_a_sign_of_life_is_noted_at_the_time_it_came(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    assert ledger.attempt().progressed_at is None
    for second in (5, 9):
        ledger.record(progressed(second))
        assert ledger.attempt().progressed_at == at(second)
    assert (ledger.task.state, ledger.task.started_at, ledger.task.attempts) == (TaskState.STARTED, at(1), 1)
    assert (ledger.attempt().outcome, ledger.attempt().started_at) == (Outcome.RUNNING, at(1))


def test_an_attempt_that_was_not_told_begins_with_its_first_sign_of_life(ledger: Ledger) -> None:
    ledger.record(submitted(), progressed(5, claimed=5.0))
    assert (ledger.task.state, ledger.task.device, ledger.task.started_at) == (TaskState.STARTED, "device-1", at(5))
    assert (ledger.attempt().started_at, ledger.attempt().progressed_at) == (at(5), at(5))


def test_signs_of_life_within_a_batch_are_as_good_as_over_several(ledger: Ledger) -> None:
    entries = submitted(), started(1), progressed(5), progressed(9)
    together = Ledger()
    together.record(*entries)
    for entry in entries:
        ledger.record(entry)
    assert vars(ledger) == vars(together)


def test_an_older_sign_of_life_that_comes_again_undoes_no_younger_one(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), progressed(9), progressed(5))
    assert ledger.attempt().progressed_at == at(9)


def test_a_sign_of_life_changes_nothing_else_that_would_have_to_be_written(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    changes = ledger.record(progressed(5))
    assert (changes.changed_tasks, changes.new_attempts, len(changes.changed_attempts)) == ([], [], 1)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.RUNNING])
def test_an_attempt_that_has_ended_does_not_go_on(ledger: Ledger, outcome: Outcome) -> None:
    ledger.record(submitted(), started(1))
    ledger.attempt().outcome, ledger.task.state = outcome, TaskState.QUEUED
    before = copy.deepcopy(vars(ledger))
    ledger.record(progressed(5))
    assert vars(ledger) == before


def test_a_task_that_was_given_back_and_begun_elsewhere_is_the_other_ones(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), reported(State.REQUEUED, 2, message="out of memory"))
    ledger.record(progressed(3, "device-2"), progressed(4))
    assert (ledger.task.device, ledger.task.started_at) == ("device-2", at(3))
    assert (ledger.attempt("run-1").outcome, ledger.attempt("run-1").progressed_at) == (Outcome.RETURNED, None)


def test_a_task_that_has_ended_stays_so_while_another_attempt_at_it_goes_on(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), started(2, "device-2"), succeeded(3), progressed(4, "device-2"))
    assert (ledger.task.state, ledger.task.device, ledger.task.ended_at) == (TaskState.SUCCEEDED, "device-1", at(3))
    assert ledger.attempt("run-2").progressed_at == at(4)


def test_a_sign_of_life_after_the_end_of_its_task_is_an_attempt_and_nothing_more(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), succeeded(2), progressed(3, "device-2"))
    assert (ledger.task.state, ledger.task.device, ledger.task.attempts) == (TaskState.SUCCEEDED, "device-1", 2)
    assert (ledger.attempt("run-2").outcome, ledger.attempt("run-2").progressed_at) == (Outcome.RUNNING, at(3))


def test_a_device_gives_no_signs_of_anothers_life(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    (refused,) = ledger.record(progressed(5, "device-2", run="run-1")).refused
    assert "another device's" in refused.reason
    assert ledger.attempt().progressed_at is None


def test_a_sign_of_life_of_a_task_that_nobody_submitted_is_an_orphan(ledger: Ledger) -> None:
    report = progressed(1)
    assert ledger.record(report).orphans == [report]
    assert (ledger.tasks, ledger.attempts) == ({}, {})
