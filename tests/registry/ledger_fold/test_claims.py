"""How far a device is believed."""

import copy

import pytest

from registry.ledger_entries import BROKEN, Reported
from registry.ledger_fold import MOST_ATTEMPTS, UNTOLD
from registry.ledger_rows import AttemptRow
from registry.task_state import Outcome, TaskState
from tests.registry.ledger_fold.recorded import KEY, Ledger, at, progressed, started, submitted, succeeded


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (succeeded(1, "device-9"), "does not host"),
        (started(1, "device-9"), "does not host"),
        (progressed(1, "device-9"), "does not host"),
        (progressed(1, reply_to="reply.ada-2"), "reply address"),
        (progressed(1, run=None), "no attempt"),
        (succeeded(1, reply_to="reply.ada-2"), "reply address"),
        (succeeded(1, run=None), "no attempt"),
    ],
)
def test_a_device_that_was_not_given_the_task_changes_nothing(ledger: Ledger, report: Reported, reason: str) -> None:
    ledger.record(submitted())
    before = copy.deepcopy(vars(ledger))
    (refused,) = ledger.record(report).refused
    assert reason in refused.reason
    assert vars(ledger) == before


def test_a_device_cannot_end_anothers_attempt(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1))
    (refused,) = ledger.record(succeeded(2, "device-2", run="run-1")).refused
    assert "another device's" in refused.reason
    assert ledger.task.state is TaskState.STARTED


def test_a_device_that_hosted_the_model_when_it_began_may_end_the_task(ledger: Ledger) -> None:
    ledger.record(submitted(model="gone"))
    ledger.attempts[KEY] = {"run-1": AttemptRow("ada", "t", "run-1", "device-1", at(1))}
    ledger.record(succeeded(2))
    assert ledger.task.state is TaskState.SUCCEEDED


def test_a_device_cannot_fill_the_ledger_with_attempts(ledger: Ledger) -> None:
    changes = ledger.record(submitted(), *(started(1, run=f"run-{n}") for n in range(MOST_ATTEMPTS + 5)))
    assert len(ledger.attempts[KEY]) == MOST_ATTEMPTS
    assert len(changes.refused) == 5


def test_an_attempt_whose_start_was_not_told_is_short_whatever_its_device_claims(ledger: Ledger) -> None:
    ledger.record(submitted(), succeeded(9, claimed=8.0))
    assert ledger.attempt().started_at == at(9 - UNTOLD)
    (used,) = ledger.usage.values()
    assert used.compute_seconds == UNTOLD


@pytest.mark.parametrize(
    ("claimed", "waited", "seconds"),
    [(None, False, 4.0), (3.0, False, 3.0), (50.0, False, 4.0), (50.0, True, 50.0), (99.0, True, 60.0), (-1, True, 0)],
)
def test_a_device_is_believed_as_far_as_the_platform_saw_it(
    ledger: Ledger, claimed: float | None, waited: bool, seconds: float
) -> None:
    ledger.record(submitted(), started(1), succeeded(5, claimed=claimed, waited=waited))
    (used,) = ledger.usage.values()
    assert used.compute_seconds == seconds


@pytest.mark.parametrize("shape", [(2,), (3, 4), (2, 2, 4), ()])
def test_a_result_of_another_form_than_its_task_is_a_failure_of_its_device(shape):
    ledger = Ledger()
    ledger.record(submitted(items=2), succeeded(1, shape=shape))

    assert ledger.tasks[KEY].state is TaskState.FAILED
    assert (ledger.tasks[KEY].reason, ledger.results) == ("device", {})


KINDS = ("embed", "generate", "tensors")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", KINDS)
def test_a_result_of_another_kind_than_its_model_makes_is_a_failure_of_its_device(model, kind):
    ledger = Ledger(minilm=model)
    ledger.record(submitted(), succeeded(1, kind=kind, tokens=7))

    (used,) = ledger.usage.values()
    if kind == model:
        assert (ledger.task.state, ledger.results, used.tokens_claimed) == (TaskState.SUCCEEDED, {KEY: b"result"}, 7)
    else:
        assert (ledger.task.state, ledger.task.reason, ledger.task.message) == (TaskState.FAILED, "device", BROKEN)
        assert (ledger.attempt().outcome, ledger.results) == (Outcome.FAILED, {})
        assert (used.failed, used.tasks, used.tokens_claimed) == (1, 0, 0)


def test_any_kind_of_result_is_one_of_a_model_of_which_nobody_knows_what_it_makes():
    ledger = Ledger(another="generate")
    ledger.record(submitted(), succeeded(1, kind="tensors"))

    assert ledger.task.state is TaskState.SUCCEEDED


@pytest.mark.parametrize(("items", "shape"), [(2, (2, 4)), (1, (1, 4)), (1, (4,)), (0, (9, 9))])
def test_a_result_of_its_tasks_form_is_one(items, shape):
    ledger = Ledger()
    ledger.record(submitted(items=items), succeeded(1, shape=shape))

    assert ledger.tasks[KEY].state is TaskState.SUCCEEDED
