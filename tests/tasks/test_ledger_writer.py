import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from registry.database import session
from registry.ledger import record
from registry.ledger_entries import Reported, Submitted
from registry.task_state import TaskState
from registry.task_tables import Task
from starai.wire import State
from tasks.ledger_writer import LedgerWriter, Stopped
from tests.tasks.recorded_network import rows

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ENTRY = Submitted("ada", "t", NOW, "asia", "tiny", "m", "reply.ada-1", None, None, 1, b"body")


@pytest.fixture
def entries() -> list[Submitted]:
    return [replace(ENTRY, task=f"t{number}") for number in range(10)]


def test_what_can_never_be_recorded_is_set_aside_alone(engine, entries, caplog):
    entries[3] = replace(ENTRY, task="t3", expires_at=datetime(2026, 5, 1))  # noqa: DTZ001 - the registry refuses it
    changes = LedgerWriter(engine, threading.Event(), {}).write(entries)
    assert sorted(task.id for change in changes for task in change.tasks) == sorted({e.task for e in entries} - {"t3"})
    assert len(rows(engine, Task)) == 9
    assert caplog.messages == ["ledger.unrecordable"]


@pytest.mark.parametrize(("kind", "state"), [("embed", TaskState.SUCCEEDED), ("generate", TaskState.FAILED)])
def test_a_result_of_another_kind_than_the_models_is_written_down_as_a_failure(engine, kind, state):
    end = Reported(
        "ada", "t", NOW, "reply.ada-1", State.SUCCEEDED, None, None, None, None, None, 9, b"result", kind=kind
    )
    LedgerWriter(engine, threading.Event(), {"m": "embed"}).write([ENTRY, end])
    assert [task.state for task in rows(engine, Task)] == [state]


def test_an_outage_is_waited_out_and_told_once(engine, entries, monkeypatch, caplog):
    def until_it_is_back(*arguments):
        if len(tries) == 3:
            with session(engine) as registry:
                registry.execute(text("ALTER TABLE gone RENAME TO tasks"))
        tries.append(1)
        return record(*arguments)

    tries: list[int] = []
    caplog.set_level("INFO")
    with session(engine) as registry:
        registry.execute(text("ALTER TABLE tasks RENAME TO gone"))
    monkeypatch.setattr("tasks.ledger_writer.record", until_it_is_back)
    LedgerWriter(engine, threading.Event(), {}).write(entries)
    assert [m for m in caplog.messages if m.startswith("ledger")] == ["ledger.database_out", "ledger.database_back"]
    assert len(rows(engine, Task)) == 10


def test_an_outage_is_not_waited_out_by_a_writer_that_is_to_stop(engine, entries):
    with session(engine) as registry:
        registry.execute(text("DROP TABLE tasks"))
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Stopped):
        LedgerWriter(engine, stopping, {}).write(entries)


def test_the_database_looks_at_its_tables_whenever_they_have_doubled(engine, monkeypatch):
    looked: list[int] = []
    writer = LedgerWriter(engine, threading.Event(), {})
    monkeypatch.setattr("tasks.ledger_writer.refresh_statistics", lambda _: looked.append(len(rows(engine, Task))))
    for batch in range(20):
        writer.write([replace(ENTRY, task=f"t{batch}-{number}") for number in range(100)])
    assert looked == [200, 400, 800, 1600]
