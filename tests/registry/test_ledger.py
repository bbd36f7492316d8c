"""The ledger's tables as batches of entries write them, in SQLite and PostgreSQL."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlmodel import select

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import open_engine, session
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.ledger import make_durable, record, refresh_statistics
from registry.ledger_entries import DeadLettered, Entry, Marked, Reported, Submitted
from registry.ledger_fold import fold
from registry.owners import add_owner
from registry.task_state import Outcome, TaskState
from registry.task_tables import Attempt, DeadLetter, LedgerMark, Task, TaskInput, TaskResult, Usage
from starai.errors import RegistryError
from starai.wire import State

NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=3)
REPLY = "reply.ada-1"
TASK = Submitted("ada", "t", NOW, "asia", "tiny", "phi3-3-8b", REPLY, NOW + timedelta(600), 7.5, 2, b"\x00text")
STARTED = Reported("ada", "t", NOW, REPLY, State.STARTED, "device-1", "run", None, None, None, 9, b"")
ENDED = Reported("ada", "t", LATER, REPLY, State.SUCCEEDED, "device-1", "run", 2.5, None, None, 99, b"\xffresult")
GOT_ON = replace(STARTED, state=State.PROGRESS, at=LATER)
LETTER = DeadLettered("ab" * 32, NOW, "ada", "t", REPLY, "asia.tiny", "q", "rejected", 3, "{}", b"body")


@pytest.fixture
def network(engine: Engine) -> Engine:
    """A registry in which ada's device hosts a model whose name has dots."""
    with session(engine) as registry:
        add_owner(registry, "ada")
        enrol_device(registry, "device-1", "ada", Region.EUROPE)
        deploy(registry, "device-1", [Planned("phi3-3.8b", Tier.MEDIUM)])
    return engine


def write(engine: Engine, *entries: Entry):
    return record(engine, entries, 60.0)


def rows(engine: Engine, table):
    with session(engine) as registry:
        return list(registry.exec(select(table)))


def test_a_life_is_written_down(network: Engine) -> None:
    write(network, TASK, STARTED, ENDED)
    (task,), (attempt,), (result,) = (rows(network, table) for table in (Task, Attempt, TaskResult))
    assert (task.state, task.device, task.model, task.lease) == (TaskState.SUCCEEDED, "device-1", "phi3-3-8b", 7.5)
    assert (task.submitted_at, task.started_at, task.ended_at, task.expires_at) == (NOW, NOW, LATER, TASK.expires_at)
    assert (attempt.outcome, attempt.started_at, attempt.ended_at, attempt.cleared) == (
        Outcome.SUCCEEDED,
        NOW,
        LATER,
        False,
    )
    assert (result.body, result.at) == (b"\xffresult", LATER)
    assert rows(network, TaskInput) == []


def test_a_life_that_is_written_down_piece_by_piece_is_the_same(network: Engine) -> None:
    write(network, TASK)
    (kept,) = rows(network, TaskInput)
    assert kept.body == b"\x00text"
    write(network, STARTED)
    assert rows(network, Task)[0].state is TaskState.STARTED
    write(network, ENDED)
    (task,), (attempt,) = rows(network, Task), rows(network, Attempt)
    assert (task.state, task.bytes_in, task.bytes_out, attempt.outcome) == (
        TaskState.SUCCEEDED,
        5,
        99,
        Outcome.SUCCEEDED,
    )
    assert rows(network, TaskInput) == []


def test_what_comes_again_adds_nothing(network: Engine) -> None:
    for entries in ((TASK, STARTED, ENDED), (TASK, STARTED), (ENDED, ENDED, TASK)):
        write(network, *entries)
    assert [len(rows(network, table)) for table in (Task, Attempt, TaskResult)] == [1, 1, 1]
    (used,) = rows(network, Usage)
    assert (used.day, used.device, used.model, used.tasks) == (NOW.date(), "device-1", "phi3-3-8b", 1)
    assert (used.items, used.compute_seconds, used.bytes_in, used.bytes_out) == (2, 2.5, 5, 99)


def test_signs_of_life_are_written_down_with_a_start_or_after_it(network: Engine) -> None:
    write(network, TASK, replace(GOT_ON, at=NOW))
    (attempt,) = rows(network, Attempt)
    assert (attempt.started_at, attempt.progressed_at, attempt.outcome) == (NOW, NOW, Outcome.RUNNING)
    write(network, GOT_ON)
    (attempt,), (task,) = rows(network, Attempt), rows(network, Task)
    assert (attempt.started_at, attempt.progressed_at, task.state) == (NOW, LATER, TaskState.STARTED)
    write(network, ENDED)
    (attempt,) = rows(network, Attempt)
    assert (attempt.outcome, attempt.progressed_at) == (Outcome.SUCCEEDED, LATER)


def test_tokens_add_up_over_batches(network: Engine) -> None:
    for task in ("one", "two"):
        write(network, *(replace(entry, task=task) for entry in (TASK, STARTED, replace(ENDED, tokens=2**31))))
    (used,) = rows(network, Usage)
    assert used.tokens_claimed == 2**32


@pytest.mark.parametrize(("kind", "state"), [("generate", TaskState.SUCCEEDED), ("embed", TaskState.FAILED)])
def test_a_result_has_to_be_of_the_kind_that_its_model_makes(network: Engine, kind: str, state: TaskState) -> None:
    record(network, (TASK, STARTED, replace(ENDED, kind=kind)), 60.0, {"phi3-3-8b": "generate"})
    assert [task.state for task in rows(network, Task)] == [state]
    assert len(rows(network, TaskResult)) == (state is TaskState.SUCCEEDED)


def test_usage_adds_up_over_batches(network: Engine) -> None:
    for task in ("one", "two", "three"):
        write(network, *(replace(entry, task=task) for entry in (TASK, STARTED, ENDED)))
    (used,) = rows(network, Usage)
    assert (used.tasks, used.items, used.compute_seconds, used.bytes_out) == (3, 6, 7.5, 297)


def test_a_device_that_is_gone_ends_its_task_without_usage(network: Engine) -> None:
    write(network, TASK, STARTED)
    with session(network) as registry:
        registry.execute(text("DELETE FROM deployments"))
        registry.execute(text("DELETE FROM devices"))
    write(network, ENDED)
    assert rows(network, Task)[0].state is TaskState.SUCCEEDED
    assert rows(network, Usage) == []


def test_of_a_thousand_tasks_each_has_its_rows(network: Engine) -> None:
    names = [f"t{number}" for number in range(1000)]
    write(network, *(replace(TASK, task=name) for name in names))
    write(network, *(replace(STARTED, task=name) for name in names))
    write(network, *(replace(ENDED, task=name) for name in names[:900]))
    assert [len(rows(network, table)) for table in (Task, Attempt, TaskInput, TaskResult)] == [1000, 1000, 100, 900]
    states = [task.state for task in rows(network, Task)]
    assert (states.count(TaskState.SUCCEEDED), states.count(TaskState.STARTED)) == (900, 100)


def test_marks_and_dead_letters_are_kept_once(network: Engine) -> None:
    for _ in range(2):
        write(network, Marked("m", NOW), LETTER, LETTER)
    (mark,), (letter,) = rows(network, LedgerMark), rows(network, DeadLetter)
    assert (mark.id, mark.at) == ("m", NOW)
    assert (letter.submitter, letter.task, letter.queue, letter.deaths, letter.body) == ("ada", "t", "q", 3, b"body")
    assert (letter.ended_at, letter.retried_at) == (None, None)


def test_a_batch_is_written_whole_or_not_at_all(network: Engine) -> None:
    with session(network) as registry:
        registry.execute(text("DROP TABLE usage"))
    with pytest.raises(RegistryError, match="usage"):
        write(network, TASK, STARTED, ENDED)
    assert [rows(network, table) for table in (Task, Attempt, TaskResult)] == [[], [], []]


def test_a_task_that_was_cancelled_meanwhile_stays_cancelled(network: Engine) -> None:
    with session(network) as registry:
        registry.add(Task(submitter="ada", id="t", cancelled_at=NOW, reply_to=REPLY))
    write(network, TASK)
    (task,) = rows(network, Task)
    assert (task.cancelled_at, task.target, task.bytes_in) == (NOW, "tiny", 5)


# In SQLite nobody writes while another transaction does.
@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.process)], indirect=True)
def test_what_another_adds_at_the_same_moment_is_found(
    network: Engine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, once = open_engine(url), threading.Event()

    def meanwhile(*arguments):
        if not once.is_set():
            once.set()
            with session(other) as registry:
                registry.add(Task(submitter="ada", id="t", cancelled_at=NOW, reply_to=REPLY))
        return fold(*arguments)

    monkeypatch.setattr("registry.ledger.fold", meanwhile)
    write(network, TASK)
    other.dispose()
    (task,) = rows(network, Task)
    assert (once.is_set(), task.cancelled_at, task.target) == (True, NOW, "tiny")


def test_a_row_is_not_changed_by_two_at_once(network: Engine, url: str, until: Callable[..., None]) -> None:
    write(network, TASK)
    other = open_engine(url)
    with session(other) as registry:
        task = registry.get(Task, ("ada", "t"), with_for_update=True)
        assert task
        writer = threading.Thread(target=write, args=(network, STARTED))
        writer.start()
        task.cancelled_at = NOW
        registry.flush()
    writer.join(20)
    other.dispose()
    (found,) = rows(network, Task)
    assert (found.state, found.cancelled_at) == (TaskState.STARTED, NOW)


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.process)], indirect=True)
def test_postgresql_finds_a_submitters_task_by_its_key_once_it_has_looked(network: Engine) -> None:
    write(network, *(replace(TASK, task=f"t{number}") for number in range(500)))
    refresh_statistics(network)
    with session(network) as registry:
        plan = registry.execute(text("EXPLAIN SELECT * FROM tasks WHERE submitter = 'ada' AND id = 't7'")).scalars()
        assert any("pk_tasks" in line for line in plan)


def test_a_durable_engine_waits_for_the_disk(url: str) -> None:
    engine = open_engine(url)
    make_durable(engine)
    query = "PRAGMA synchronous" if engine.dialect.name == "sqlite" else "SHOW synchronous_commit"
    with engine.connect() as connection:
        assert connection.execute(text(query)).scalar() in (2, "on")
    engine.dispose()
