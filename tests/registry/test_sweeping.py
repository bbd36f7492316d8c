"""What the sweep reads of the ledger and writes to it, in both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from registry.events import events_of
from registry.putting_back import claim_oldest, count_done, count_waiting, keys_in_use
from registry.sweeping import (
    end_attempt,
    end_dead_letters,
    hoarded_since,
    is_recorded,
    last_heard,
    overdue,
    record_action,
    running_attempts,
    states_of,
    untold_dead_letters,
)
from registry.tables import DeviceEvent, EventKind
from registry.task_state import Action, Outcome, TaskState
from registry.task_tables import Attempt, DeadLetter, LedgerMark, Task, TaskAction, TaskInput

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = ("asia", "all-minilm-l6-v2")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def add_task(registry: Session, task: str, **values) -> Task:
    plain = {"region": "asia", "target": "all-minilm-l6-v2", "reply_to": "reply.ann-1", "submitted_at": ago(100)}
    row = Task(submitter="ann", id=task, **plain | values)
    registry.add_all((row, TaskInput(submitter="ann", task=task, body=task.encode())))
    registry.flush()
    return row


def add_attempt(registry: Session, task: str, run: str = "run-1", **values) -> None:
    plain = {"device": "device-1", "started_at": ago(90)}
    registry.add(Attempt(submitter="ann", task=task, run=run, **plain | values))
    registry.flush()


def add_letter(registry: Session, task: str, **values) -> DeadLetter:
    plain = {"digest": task, "key": "asia.x", "queue": "q", "reason": "rejected", "deaths": 1, "headers": "{}"}
    letter = DeadLetter(submitter="ann", task=task, body=b"", **plain | values)
    registry.add(letter)
    registry.flush()
    return letter


def actions(registry: Session) -> list[tuple[str, Action]]:
    return [(action.task, action.action) for action in registry.exec(select(TaskAction).order_by(TaskAction.id))]


def waiting(registry: Session, *seconds: float) -> list[int]:
    return count_waiting(registry, [KEY], [ago(before) for before in seconds], NOW)


def claimed(registry: Session, count: int, before: float = 30) -> list[str]:
    return [task.id for task, _ in claim_oldest(registry, [KEY], ago(before), count, "lost", NOW)]


def test_a_mark_is_recorded_or_not(registry):
    registry.add(LedgerMark(id="m1"))
    registry.flush()

    assert is_recorded(registry, "m1")
    assert not is_recorded(registry, "m2")


def test_running_attempts_come_with_what_their_tasks_allow(registry):
    add_task(registry, "long", lease=300.0)
    add_attempt(registry, "long", started_at=ago(90), progressed_at=ago(7))
    add_attempt(registry, "unknown", started_at=ago(95))
    add_attempt(registry, "ended", outcome=Outcome.SUCCEEDED)
    add_attempt(registry, "new", started_at=ago(1))

    found = running_attempts(registry, ago(60), 10)

    assert [(a.task, a.lease, a.reply_to) for a in found] == [("unknown", None, None), ("long", 300.0, "reply.ann-1")]
    assert [(a.started_at, a.progressed_at) for a in found] == [(ago(95), None), (ago(90), ago(7))]


def test_an_attempt_that_overran_is_written_down_and_its_task_waits_again(registry):
    task = add_task(registry, "slow", state=TaskState.STARTED)
    add_attempt(registry, "slow")
    [attempt] = running_attempts(registry, NOW, 10)

    assert end_attempt(registry, attempt, Outcome.OVERRAN, "too long", NOW) == 1

    registry.refresh(task)
    assert task.state is TaskState.QUEUED
    assert actions(registry) == [("slow", Action.OVERRAN)]
    assert [event.kind for event in events_of(registry, "device-1")] == [EventKind.OVERRAN]
    assert registry.get(Attempt, ("ann", "slow", "run-1")).outcome is Outcome.OVERRAN


def test_an_attempt_that_was_cleared_away_meanwhile_overran_all_the_same(registry):
    task = add_task(registry, "slow", state=TaskState.STARTED)
    add_attempt(registry, "slow")
    [attempt] = running_attempts(registry, NOW, 10)
    registry.get(Attempt, ("ann", "slow", "run-1")).outcome = Outcome.LOST
    add_attempt(registry, "slow", "run-2", started_at=ago(1))

    assert end_attempt(registry, attempt, Outcome.OVERRAN, "too long", NOW) == 2

    registry.refresh(task)
    assert task.state is TaskState.STARTED  # on the next device


def test_an_attempt_that_ended_meanwhile_did_not_overrun(registry):
    add_task(registry, "done", state=TaskState.STARTED)
    add_attempt(registry, "done")
    [attempt] = running_attempts(registry, NOW, 10)
    registry.get(Attempt, ("ann", "done", "run-1")).outcome = Outcome.SUCCEEDED
    registry.flush()

    assert end_attempt(registry, attempt, Outcome.OVERRAN, "too long", NOW) == 0
    assert actions(registry) == []


def test_attempts_before_a_retry_do_not_count(registry):
    add_task(registry, "again", state=TaskState.STARTED)
    add_attempt(registry, "again", "run-1", started_at=ago(900), outcome=Outcome.FAILED)
    record_action(registry, "ann", "again", Action.RETRIED, "its submitter asked", ago(800))
    add_attempt(registry, "again", "run-2")
    [attempt] = running_attempts(registry, NOW, 10)

    assert end_attempt(registry, attempt, Outcome.LOST, "gone", NOW) == 1


def test_a_task_is_overdue_when_it_waits_past_its_deadline(registry):
    add_task(registry, "first", expires_at=ago(20))
    add_task(registry, "second", expires_at=ago(10))
    add_task(registry, "begun", expires_at=ago(10), state=TaskState.STARTED)
    add_task(registry, "ended", expires_at=ago(10), state=TaskState.SUCCEEDED)
    add_task(registry, "ahead", expires_at=ago(1))
    add_task(registry, "never")

    assert [task.id for task in overdue(registry, ago(2), 10)] == ["first", "second"]
    assert [task.id for task in overdue(registry, ago(2), 1)] == ["first"]


def test_dead_letters_are_told_of_once(registry):
    letters = [add_letter(registry, "one"), add_letter(registry, "two")]
    end_dead_letters(registry, [letters[0].id], NOW)

    assert [letter.task for letter in untold_dead_letters(registry, 10)] == ["two"]


def test_states_are_those_of_tasks_that_the_ledger_knows(registry):
    add_task(registry, "known")

    assert states_of(registry, {("ann", "known"), ("ann", "other")}) == {("ann", "known"): TaskState.QUEUED}


def test_a_device_is_heard_of_when_it_ended_a_task_or_runs_one(registry):
    add_task(registry, "done", state=TaskState.SUCCEEDED, device="device-1", ended_at=ago(10))
    add_attempt(registry, "busy", device="device-2")

    heard = last_heard(registry, ["device-1", "device-2", "device-3"], ago(60))

    assert heard["device-1"] == ago(10)
    assert heard["device-2"] > NOW
    assert set(heard) == {"device-1", "device-2"}
    assert last_heard(registry, ["device-1"], ago(5)) == {}


def test_a_hoarder_is_known_from_its_history(registry):
    registry.add(DeviceEvent(device_id="device-1", at=ago(60), kind=EventKind.HOARDED, reason="it held tasks"))
    registry.flush()

    assert hoarded_since(registry, "device-1", ago(100))
    assert not hoarded_since(registry, "device-1", ago(50))


def test_tasks_wait_by_routing_key(registry):
    add_task(registry, "by-model")
    add_task(registry, "by-tier", target="tiny")
    add_task(registry, "new", submitted_at=ago(1))
    add_task(registry, "done", state=TaskState.SUCCEEDED)

    assert keys_in_use(registry, ago(30)) == {KEY: 1, ("asia", "tiny"): 1}


@pytest.mark.parametrize(
    "values",
    [
        {"state": TaskState.STARTED},
        {"state": TaskState.CANCELLED},
        {"cancelled_at": ago(1)},
        {"expires_at": ago(1)},
        {"target": "another"},
        {"region": "europe"},
    ],
)
def test_what_does_not_wait_in_this_queue_does_not_count(registry, values):
    add_task(registry, "counts")
    add_task(registry, "not", **values)

    assert waiting(registry, 30) == [1]
    assert claimed(registry, 10) == ["counts"]


def test_what_some_device_began_or_a_queue_gave_up_does_not_count(registry):
    for task in ("counts", "cleared", "dead"):
        add_task(registry, task)
    add_attempt(registry, "cleared")
    add_letter(registry, "dead")

    assert waiting(registry, 30) == [1]
    assert claimed(registry, 10) == ["counts"]


def test_tasks_are_counted_by_when_they_were_put_into_the_queue(registry):
    for task, seconds in (("old", 100), ("newer", 50), ("new", 10)):
        add_task(registry, task, submitted_at=ago(seconds))

    assert waiting(registry, 200, 75, 30) == [0, 1, 2]
    assert waiting(registry) == []


def test_the_oldest_are_put_back_and_not_again_at_once(registry):
    for task, seconds in (("second", 90), ("first", 100), ("third", 80)):
        add_task(registry, task, submitted_at=ago(seconds))

    assert claimed(registry, 2) == ["first", "second"]
    assert waiting(registry, 30) == [1]
    assert claimed(registry, 10) == ["third"]
    assert claimed(registry, 10) == []
    assert registry.get(Task, ("ann", "first")).republished == 1
    assert actions(registry)[0] == ("first", Action.REPUBLISHED)


def test_what_was_put_back_is_younger_than_what_waited_since(registry):
    add_task(registry, "back", submitted_at=ago(900))
    record_action(registry, "ann", "back", Action.REPUBLISHED, "lost", ago(60))
    add_task(registry, "waits", submitted_at=ago(300))

    assert waiting(registry, 100, 30) == [1, 2]
    assert claimed(registry, 1) == ["waits"]


def test_tasks_are_counted_that_were_put_before_one_time_and_done_after_another(registry):
    for task, ended in (("early", 50), ("late", 20)):
        add_task(registry, task, state=TaskState.SUCCEEDED, ended_at=ago(ended))
    add_task(registry, "failed", state=TaskState.FAILED, ended_at=ago(20))
    add_task(registry, "abroad", state=TaskState.SUCCEEDED, ended_at=ago(20), region="europe")
    record_action(registry, "ann", "late", Action.REPUBLISHED, "lost", ago(60))

    spans = [(ago(200), ago(70)), (ago(80), ago(60)), (ago(50), ago(40)), (ago(30), ago(10))]
    assert count_done(registry, [KEY], spans) == [0, 1, 1, 0]
    assert count_done(registry, [KEY], [(ago(30), ago(70))]) == [2]
    assert count_done(registry, [KEY], []) == []
