"""What a submitter may know and change of its tasks, in both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from registry import tombstones
from registry.database import session
from registry.jobs import actions_of, cancel_job, find_job, list_jobs, reopen_job, result_of, withdraw_jobs
from registry.task_state import Action, TaskState
from registry.task_tables import Task, TaskAction, TaskInput, TaskResult
from starai.errors import JobUnknown, NotPossible

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def task(number=1, submitter="ann", at=NOW, **columns):
    known = {"region": "asia", "target": "tiny", "model": "all-minilm-l6-v2", "reply_to": f"reply.{submitter}-1"}
    return Task(submitter=submitter, id=f"t{number}", submitted_at=at, **known | {"bytes_in": 10, "items": 1} | columns)


def ids(tasks):
    return [found.id for found in tasks]


def actions(registry, submitter="ann"):
    return [found.action for found in registry.exec(select(TaskAction).where(TaskAction.submitter == submitter))]


def test_a_task_is_found_by_its_submitter_alone(registry):
    registry.add(task())

    assert find_job(registry, "ann", "t1").target == "tiny"
    for submitter, name in (("bob", "t1"), ("ann", "t2")):
        with pytest.raises(JobUnknown, match="knows no task"):
            find_job(registry, submitter, name)


def test_a_result_is_found_while_it_is_kept(registry):
    registry.add_all([task(1), task(2), TaskResult(submitter="ann", task="t1", body=b"{}")])

    assert result_of(registry, find_job(registry, "ann", "t1")) == b"{}"
    assert result_of(registry, find_job(registry, "ann", "t2")) is None


def test_actions_come_in_their_order(registry):
    registry.add(task())
    for number, action in enumerate((Action.REPUBLISHED, Action.EXPIRED)):
        registry.add(TaskAction(submitter="ann", task="t1", at=NOW, action=action, reason=str(number)))
        registry.flush()

    assert [found.reason for found in actions_of(registry, find_job(registry, "ann", "t1"))] == ["0", "1"]


def test_tasks_are_listed_the_newest_first_and_page_after_page(registry):
    # Two of each time: the id decides.
    registry.add_all(task(n, at=NOW + timedelta(seconds=n // 2)) for n in range(7))
    registry.add(task(9, "bob"))

    seen, after = [], None
    while page := list_jobs(registry, "ann", after=after, limit=3):
        seen += ids(page)
        after = page[-1].submitted_at, page[-1].id

    assert seen == [f"t{n}" for n in (6, 5, 4, 3, 2, 1, 0)]


def test_tasks_are_listed_by_state_time_and_id(registry):
    registry.add_all(task(n, at=NOW + timedelta(seconds=n)) for n in range(3))
    registry.add(task(3, at=NOW + timedelta(seconds=3), state=TaskState.FAILED))

    assert ids(list_jobs(registry, "ann", states=[TaskState.FAILED])) == ["t3"]
    assert ids(list_jobs(registry, "ann", since=NOW + timedelta(seconds=2))) == ["t3", "t2"]
    assert ids(list_jobs(registry, "ann", tasks=["t0", "t3", "t8"], states=[TaskState.QUEUED])) == ["t0"]


def test_an_open_task_is_marked_as_cancelled_once(registry):
    registry.add(task(state=TaskState.STARTED))

    for at in (NOW, SOON):
        found = cancel_job(registry, "ann", "t1", at)

    assert (found.cancelled_at, found.state) == (NOW, TaskState.STARTED)
    assert actions(registry) == [Action.CANCELLED]


def test_what_has_ended_is_not_cancelled(registry):
    registry.add(task(state=TaskState.SUCCEEDED, ended_at=NOW))

    with pytest.raises(NotPossible, match="it is succeeded"):
        cancel_job(registry, "ann", "t1", NOW)


def test_a_task_that_nobody_knows_yet_is_cancelled_and_stays_so(registry):
    found = cancel_job(registry, "ann", "t1", NOW)

    assert (found.state, found.cancelled_at, found.ended_at) == (TaskState.CANCELLED, NOW, NOW)
    assert cancel_job(registry, "ann", "t1", SOON).cancelled_at == NOW


def test_a_task_that_nobody_knows_yet_is_open_while_its_end_is_to_be_reported(registry):
    found = cancel_job(registry, "ann", "t1", NOW, reported=True)

    assert (found.state, found.cancelled_at, found.ended_at) == (TaskState.QUEUED, NOW, None)


def test_there_are_only_so_many_tasks_that_nobody_knows(registry, monkeypatch):
    monkeypatch.setattr(tombstones, "MOST_TOMBSTONES", 3)
    registry.add_all(task(n) for n in range(10, 20))
    withdraw_jobs(registry, "ann", ["t1", "t2", "t3", "t10"], NOW)

    for change in (lambda: cancel_job(registry, "ann", "t4", NOW), lambda: withdraw_jobs(registry, "ann", ["t4"], NOW)):
        with pytest.raises(NotPossible, match="nobody knows of yet"):
            change()
    cancel_job(registry, "bob", "t4", NOW)
    cancel_job(registry, "ann", "t11", NOW)


def test_only_what_was_not_started_is_withdrawn(registry):
    registry.add_all([task(1), task(2, state=TaskState.STARTED, attempts=1), task(3, state=TaskState.SUCCEEDED)])
    registry.add(task(4, attempts=1))

    assert withdraw_jobs(registry, "ann", ["t1", "t2", "t3", "t4", "t5", "t5"], NOW) == 2

    states = {found.id: str(found.state) for found in list_jobs(registry, "ann")}
    assert states == {"t1": "rejected", "t2": "started", "t3": "succeeded", "t4": "queued", "t5": "rejected"}
    assert actions(registry) == [Action.WITHDRAWN] * 2


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.EXPIRED])
def test_what_failed_or_expired_waits_again_with_a_new_deadline(registry, state):
    ended = {"state": state, "ended_at": NOW, "started_at": NOW, "device": "d", "reason": "device", "message": "why"}
    registry.add_all([task(**ended, cancelled_at=NOW, attempts=3), TaskInput(submitter="ann", task="t1", body=b"[]")])

    found, body = reopen_job(registry, "ann", "t1", expires=SOON, reason="asked", at=NOW)

    assert (found.state, found.expires_at, body) == (TaskState.QUEUED, SOON, b"[]")
    assert {found.ended_at, found.started_at, found.device, found.reason, found.message, found.cancelled_at} == {None}
    assert (found.submitted_at, found.attempts) == (NOW, 3)
    assert actions(registry) == [Action.RETRIED]


@pytest.mark.parametrize("state", sorted(set(TaskState) - {TaskState.FAILED, TaskState.EXPIRED}))
def test_nothing_else_is_retried(registry, state):
    registry.add_all([task(state=state), TaskInput(submitter="ann", task="t1", body=b"[]")])

    with pytest.raises(NotPossible, match=f"is {state}"):
        reopen_job(registry, "ann", "t1", expires=SOON, reason="asked", at=NOW)


def test_a_task_without_its_input_or_of_another_submitter_is_not_retried(registry):
    registry.add(task(state=TaskState.FAILED))

    with pytest.raises(NotPossible, match="not kept any more"):
        reopen_job(registry, "ann", "t1", expires=SOON, reason="asked", at=NOW)
    with pytest.raises(JobUnknown):
        reopen_job(registry, "bob", "t1", expires=SOON, reason="asked", at=NOW)


def test_what_is_changed_is_seen_by_others(engine):
    with session(engine) as registry:
        registry.add(task())
    with session(engine) as registry:
        cancel_job(registry, "ann", "t1", NOW)

    with session(engine) as registry:
        assert find_job(registry, "ann", "t1").cancelled_at == NOW
