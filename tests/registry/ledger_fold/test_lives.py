"""What is left in the ledger of a task that comes to its end."""

import pytest

from registry.ledger_entries import Marked
from registry.ledger_rows import Used
from registry.task_state import Outcome, TaskState
from starai.wire import State
from tests.registry.ledger_fold.recorded import KEY, START, Ledger, at, reported, started, submitted, succeeded


def test_a_submission_is_a_queued_task_with_its_input(ledger: Ledger) -> None:
    ledger.record(submitted(5, lease=7.0))
    task = ledger.task
    assert (task.state, task.region, task.target, task.model) == (TaskState.QUEUED, "asia", "minilm", "minilm")
    assert (task.submitted_at, task.expires_at, task.lease, task.items) == (at(5), at(600), 7.0, 2)
    assert (ledger.inputs, task.bytes_in) == ({KEY: b"text"}, 4)


def test_a_whole_life_in_one_batch_is_one_row_each_and_no_input(ledger: Ledger) -> None:
    changes = ledger.record(submitted(), started(1), succeeded(3))
    assert (len(changes.new_tasks), changes.changed_tasks, changes.inputs, changes.spent_inputs) == (1, [], [], [])
    task, attempt = ledger.task, ledger.attempt()
    assert (task.state, task.device, task.started_at, task.ended_at) == (TaskState.SUCCEEDED, "device-1", at(1), at(3))
    assert (attempt.outcome, attempt.started_at, attempt.ended_at) == (Outcome.SUCCEEDED, at(1), at(3))
    assert (ledger.results, task.bytes_out, task.attempts) == ({KEY: b"result"}, 100, 1)


def test_a_life_over_several_batches_ends_the_same(ledger: Ledger) -> None:
    for entry in (submitted(), started(1), succeeded(3)):
        ledger.record(entry)
    together = Ledger()
    together.record(submitted(), started(1), succeeded(3))
    assert vars(ledger) == vars(together)


def test_usage_is_of_the_owner_the_device_had_then(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), succeeded(3))
    used = Used(tasks=1, items=2, compute_seconds=2.0, bytes_in=4, bytes_out=100)
    assert ledger.usage == {(START.date(), 1, "device-1", "minilm"): used}


def test_tokens_are_added_up_as_devices_claim_them_of_what_they_did(ledger: Ledger) -> None:
    for task, tokens in (("t1", 5), ("t2", 7), ("t3", 0)):
        ledger.record(submitted(0, task), succeeded(1, task=task, tokens=tokens))
    ledger.record(submitted(0, "t4"), reported(State.FAILED, 1, task="t4", tokens=9))
    ledger.record(succeeded(2, task="t1", tokens=5))
    (used,) = ledger.usage.values()
    assert (used.tasks, used.failed, used.tokens_claimed) == (3, 1, 12)


def test_a_task_that_expired_keeps_its_input_for_a_retry(ledger: Ledger) -> None:
    ledger.record(submitted(), reported(State.EXPIRED, 1, None))
    assert ledger.inputs == {KEY: b"text"}


def test_a_failure_is_used_time_and_keeps_the_input_for_a_retry(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), reported(State.FAILED, 2, reason="device", message="no memory"))
    assert (ledger.task.state, ledger.task.reason, ledger.task.message) == (TaskState.FAILED, "device", "no memory")
    assert ledger.attempt().reason == "no memory"
    assert ledger.inputs == {KEY: b"text"}
    (used,) = ledger.usage.values()
    assert (used.tasks, used.failed, used.items, used.compute_seconds) == (0, 1, 0, 1.0)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.CANCELLED])
def test_an_input_that_is_not_needed_any_more_is_deleted(ledger: Ledger, state: State) -> None:
    ledger.record(submitted())
    assert ledger.record(reported(state, 1)).spent_inputs == [KEY]


def test_the_platform_ends_a_task_without_an_attempt_and_without_usage(ledger: Ledger) -> None:
    ledger.record(submitted(), reported(State.EXPIRED, 9, None))
    assert (ledger.task.state, ledger.task.device, ledger.task.started_at) == (TaskState.EXPIRED, None, None)
    assert ledger.attempts == {}
    assert ledger.usage == {}


def test_marks_are_passed_on(ledger: Ledger) -> None:
    assert ledger.record(Marked("m", at(1))).marks == [Marked("m", at(1))]
