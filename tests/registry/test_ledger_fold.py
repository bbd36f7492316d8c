import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.ledger_changes import Changes, Known
from registry.ledger_entries import Entry, Marked, Reported, Submitted
from registry.ledger_fold import MOST_ATTEMPTS, UNTOLD, fold
from registry.ledger_rows import AttemptRow, TaskRow, Used
from registry.task_state import Outcome, TaskState
from starai.wire import State

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPLY = "reply.ada-1"
HOSTS = frozenset({("device-1", "minilm"), ("device-2", "minilm")})
OWNERS = {"device-1": 1, "device-2": 2, "device-9": 9}
KEY = ("ada", "t")


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def submitted(second: float = 0, task: str = "t", **more: object) -> Submitted:
    entry = Submitted("ada", task, at(second), "asia", "minilm", "minilm", REPLY, at(600), None, 2, b"text")
    return replace(entry, **more)


def reported(state: State, second: float, device: str | None = "device-1", **more: object) -> Reported:
    run = device.replace("device", "run") if device else None
    entry = Reported("ada", "t", at(second), REPLY, state, device, run, None, None, None, 100, b"")
    return replace(entry, **({"body": b"result"} if state is State.SUCCEEDED else {}) | more)


def started(second: float, device: str = "device-1", **more: object) -> Reported:
    return reported(State.STARTED, second, device, **more)


def succeeded(second: float, device: str = "device-1", **more: object) -> Reported:
    return reported(State.SUCCEEDED, second, device, **more)


class Ledger:
    """The ledger's tables in memory: refuses what the database would."""

    def __init__(self) -> None:
        self.tasks: dict = {}
        self.attempts: dict = {}
        self.inputs: dict = {}
        self.results: dict = {}
        self.usage: dict = {}

    def record(self, *entries: Entry) -> Changes:
        known = Known(copy.deepcopy(self.tasks), copy.deepcopy(self.attempts), HOSTS, OWNERS)
        changes = fold(known, entries, 60.0)
        for task in changes.new_tasks:
            assert task.key not in self.tasks
        for task in changes.changed_tasks:
            assert task.key in self.tasks
        self.tasks |= {task.key: task for task in changes.tasks}
        for attempt in changes.new_attempts:
            assert attempt.run not in self.attempts.get((attempt.submitter, attempt.task), {})
        for attempt in changes.attempts:
            self.attempts.setdefault((attempt.submitter, attempt.task), {})[attempt.run] = attempt
        for row in changes.inputs:
            assert (row.submitter, row.task) not in self.inputs
            self.inputs[row.submitter, row.task] = row.body
        for key in changes.spent_inputs:
            self.inputs.pop(key, None)
        for row in changes.results:
            assert (row.submitter, row.task) not in self.results
            self.results[row.submitter, row.task] = row.body
        for key, used in changes.usage.items():
            sums = self.usage.setdefault(key, Used())
            for name in Used.__slots__:
                setattr(sums, name, getattr(sums, name) + getattr(used, name))
        return changes

    @property
    def task(self) -> TaskRow:
        return self.tasks[KEY]

    def attempt(self, run: str = "run-1") -> AttemptRow:
        return self.attempts[KEY][run]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


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


def test_a_report_that_overtook_its_submission_within_a_batch_counts(ledger: Ledger) -> None:
    ledger.record(started(1), submitted(), succeeded(2))
    assert ledger.task.state is TaskState.SUCCEEDED


def test_a_report_of_a_task_that_nobody_submitted_is_an_orphan(ledger: Ledger) -> None:
    report = started(1)
    assert ledger.record(report).orphans == [report]
    assert ledger.tasks == {}
    assert ledger.attempts == {}


def test_usage_is_of_the_owner_the_device_had_then(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), succeeded(3))
    used = Used(tasks=1, items=2, compute_seconds=2.0, bytes_in=4, bytes_out=100)
    assert ledger.usage == {(START.date(), 1, "device-1", "minilm"): used}


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


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (succeeded(1, "device-9"), "does not host"),
        (started(1, "device-9"), "does not host"),
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


def test_a_failure_that_is_heard_again_does_not_end_the_retry(ledger: Ledger) -> None:
    ledger.record(submitted(), started(1), reported(State.FAILED, 2))
    ledger.task.state, ledger.task.ended_at = TaskState.QUEUED, None
    ledger.record(reported(State.FAILED, 2))
    assert ledger.task.state is TaskState.QUEUED


def test_a_cleared_attempt_starts_its_task_and_keeps_the_time_of_its_clearance(ledger: Ledger) -> None:
    ledger.record(submitted())
    ledger.attempts[KEY] = {"run-1": AttemptRow("ada", "t", "run-1", "device-1", at(1), cleared=True)}
    ledger.record(started(2))
    assert (ledger.task.state, ledger.task.started_at) == (TaskState.STARTED, at(1))
    assert ledger.attempt().cleared


def test_marks_are_passed_on(ledger: Ledger) -> None:
    assert ledger.record(Marked("m", at(1))).marks == [Marked("m", at(1))]


ENDS = st.sampled_from([State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELLED])


@st.composite
def lives(draw: Callable) -> list[list[Entry]]:
    """Lives of up to four tasks: each was begun by up to three devices one after another, given back, and ended."""
    clock = iter(range(1, 1000))
    result: list[list[Entry]] = []
    for number in range(draw(st.integers(1, 4))):
        task, life = f"t{number}", []
        life.append(submitted(next(clock), task))
        for attempt in range(draw(st.integers(0, 3))):
            device, who = draw(st.sampled_from(["device-1", "device-2"])), {"task": task, "run": f"run-{attempt}"}
            if draw(st.booleans()):
                life.append(started(next(clock), device, **who))
            life.append(reported(State.REQUEUED, next(clock), device, claimed=0.0, **who))
        if draw(st.booleans()):
            life.append(reported(State.REQUEUED, next(clock), None, task=task))
        device = draw(st.sampled_from(["device-1", "device-2"]))
        if told := draw(st.booleans()):
            life.append(started(next(clock), device, task=task, run="last"))
        if draw(st.booleans()):
            by = draw(st.sampled_from([device, None])) if not told else device
            life.append(reported(draw(ENDS), next(clock), by, task=task, run="last" if by else None))
        result.append(life)
    return result


@st.composite
def arrivals(draw: Callable) -> tuple[list[Entry], list[list[Entry]]]:
    """Lives as they were, and as they came: mixed with each other, in batches, of which some came again."""
    whole = draw(lives())
    left, mixed = [list(life) for life in whole], []
    while any(left):
        mixed.append(draw(st.sampled_from([life for life in left if life])).pop(0))
    batches = []
    while mixed:
        size = draw(st.integers(1, len(mixed)))
        again = draw(st.lists(st.sampled_from([entry for batch in batches for entry in batch]))) if batches else []
        batches.append([*again, *mixed[:size]] if draw(st.booleans()) else [*mixed[:size], *again])
        mixed = mixed[size:]
    return [entry for life in whole for entry in life], batches


def recorded(batches: Iterable[Sequence[Entry]]) -> Ledger:
    ledger = Ledger()
    for batch in batches:
        orphans = ledger.record(*batch).orphans
        assert not orphans
    return ledger


@given(arrivals())
def test_whatever_comes_again_and_however_it_is_mixed_the_ledger_is_the_same(
    case: tuple[list[Entry], list[list[Entry]]],
) -> None:
    clean, batches = case
    assert vars(recorded(batches)) == vars(recorded([entry] for entry in clean))


@given(lives(), st.randoms())
def test_submissions_that_come_late_find_their_reports_put_back(whole: list[list[Entry]], random) -> None:
    clean, ledger = recorded([entry] for life in whole for entry in life), Ledger()
    waiting = [entry for life in whole for entry in sorted(life, key=lambda entry: isinstance(entry, Submitted))]
    while waiting:
        size = random.randint(1, len(waiting))
        waiting = [*waiting[size:], *ledger.record(*waiting[:size]).orphans]
    assert ledger.results == clean.results
    assert {key: task.state for key, task in ledger.tasks.items()} == {k: t.state for k, t in clean.tasks.items()}


@pytest.mark.parametrize("shape", [(2,), (3, 4), (2, 2, 4), ()])
def test_a_result_of_another_form_than_its_task_is_a_failure_of_its_device(shape):
    ledger = Ledger()
    ledger.record(submitted(items=2), succeeded(1, shape=shape))

    assert ledger.tasks[KEY].state is TaskState.FAILED
    assert (ledger.tasks[KEY].reason, ledger.results) == ("device", {})


@pytest.mark.parametrize(("items", "shape"), [(2, (2, 4)), (1, (1, 4)), (1, (4,)), (0, (9, 9))])
def test_a_result_of_its_tasks_form_is_one(items, shape):
    ledger = Ledger()
    ledger.record(submitted(items=items), succeeded(1, shape=shape))

    assert ledger.tasks[KEY].state is TaskState.SUCCEEDED
