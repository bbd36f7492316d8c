"""What is told of a task, and what is not told twice."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from registry.ledger_rows import AttemptRow, TaskRow
from registry.task_state import OPEN, TaskState
from tasks.celery_event import Told, task_events

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def task(state: TaskState = TaskState.QUEUED, **more: object) -> TaskRow:
    fields: dict = {"region": "asia", "target": "tiny", "model": "all-minilm-l6-v2"}
    if state not in OPEN:
        fields["ended_at"] = START + timedelta(seconds=3)
    return TaskRow("ann", "task-1", START, state=state, **fields | more)


def attempt(run: str = "run-1", device: str = "device-1", after: float = 1.0) -> AttemptRow:
    return AttemptRow("ann", "task-1", run, device, START + timedelta(seconds=after))


def kinds(events: list[dict]) -> list[tuple[str, str]]:
    return [(event["type"].removeprefix("task-"), event["hostname"]) for event in events]


def test_a_tasks_life_is_told_as_it_goes() -> None:
    sent, told = task_events(Told(), task(), [])
    begun, told = task_events(told, task(TaskState.STARTED, device="device-1"), [attempt()])
    started = START + timedelta(seconds=1)
    ended, _ = task_events(told, task(TaskState.SUCCEEDED, device="device-1", started_at=started), [attempt()])

    assert kinds(sent) == [("sent", "platform")]
    assert kinds(begun) == [("received", "device-1"), ("started", "device-1")]
    assert kinds(ended) == [("succeeded", "device-1")]
    assert ended[0]["runtime"] == 2.0


def test_a_task_of_which_only_the_end_was_recorded_is_told_whole() -> None:
    events, _ = task_events(Told(), task(TaskState.FAILED, device="device-1", reason="bad-input"), [attempt()])

    assert [kind for kind, _ in kinds(events)] == ["sent", "received", "started", "failed"]
    assert events[-1]["exception"] == "bad-input"


def test_a_task_that_another_device_gets_was_lost_by_the_first() -> None:
    _, told = task_events(Told(), task(TaskState.STARTED), [attempt()])

    events, _ = task_events(told, task(TaskState.STARTED), [attempt("run-2", "device-2", 2.0)])

    assert kinds(events) == [("retried", "device-1"), ("received", "device-2"), ("started", "device-2")]


def test_a_task_that_is_put_back_is_told_so_once() -> None:
    _, told = task_events(Told(), task(TaskState.STARTED), [attempt()])

    back, told = task_events(told, task(), [attempt()])
    again, _ = task_events(told, task(), [attempt()])

    assert (kinds(back), again) == ([("retried", "device-1")], [])


def test_what_the_platform_ends_is_told_as_its_own() -> None:
    events, _ = task_events(Told(sent=True), task(TaskState.EXPIRED), [])

    assert kinds(events) == [("revoked", "platform")]
    assert events[0]["expired"] is True


def test_of_its_content_a_task_shows_model_region_and_submitter() -> None:
    (sent,), _ = task_events(Told(), task(), [])

    assert sent["kwargs"] == "{'model': 'all-minilm-l6-v2', 'region': 'asia', 'submitter': 'ann'}"
    assert (sent["args"], sent["routing_key"]) == ("()", "asia.tiny")


@given(st.lists(st.sampled_from(TaskState), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_whatever_is_recorded_again_nothing_is_told_twice_and_nothing_after_the_end(states, runs) -> None:
    told, events = Told(), []
    for index, state in enumerate(states):
        attempts = [attempt(run, f"device-{run}") for run in runs[: index + 1]]
        for _ in range(2):
            more, told = task_events(told, task(state), attempts)
            events += more
            if state not in OPEN:
                assert told.ended

    count = [event["type"] for event in events].count
    assert count("task-sent") == bool(states)
    assert count("task-received") == count("task-started") <= len(set(runs))
    assert sum(map(count, ("task-succeeded", "task-failed", "task-revoked", "task-rejected"))) == told.ended
    assert [event["clock"] for event in events] == sorted(event["clock"] for event in events)
