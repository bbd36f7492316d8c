"""The recorder, while what it stands on is killed, stopped, locked or full."""

import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, event, text

from ops.process import Process
from registry.database import migrate, open_engine
from registry.task_state import Outcome
from registry.task_tables import Attempt, Task, TaskInput, TaskResult, Usage
from starai.wire import State
from tasks.recorder import Recorder
from tests.registry import postgres_server
from tests.tasks.recorded_network import RecordedNetwork, fill, network, rows, states

LIVES = 600


def all_recorded(engine: Engine, count: int) -> bool:
    return states(engine) == {"succeeded": count}


def check_exact(engine: Engine, count: int) -> None:
    """See that each life is there once, and nothing else."""
    assert [len(rows(engine, table)) for table in (Task, Attempt, TaskResult, TaskInput)] == [count, count, count, 0]
    assert {attempt.outcome for attempt in rows(engine, Attempt)} == {Outcome.SUCCEEDED}
    assert sum(used.tasks for used in rows(engine, Usage)) == count
    assert sum(used.items for used in rows(engine, Usage)) == count


@contextmanager
def recording(url: str, engine: Engine) -> Iterator[Recorder]:
    recorder = Recorder(url, engine)
    recorder.open()
    yield recorder
    recorder.check()
    recorder.close()


@contextmanager
def living(net: RecordedNetwork, count: int) -> Iterator[None]:
    """Let tasks live meanwhile, and be done at the end."""
    thread = threading.Thread(target=lambda: [net.live(20) for _ in range(count // 20)])
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()


def test_a_recorder_that_is_killed_again_and_again_loses_and_doubles_nothing(broker, engine, tmp_path, until):
    def start() -> Process:
        return Process("recorder", command, tmp_path, environment)

    fill(engine)
    command = [sys.executable, "-P", "-m", "ops.cli", "record", "--lifeline"]
    environment = {"STARAI_BROKER_URL": broker.url(), "STARAI_DATABASE_URL": str(engine.url)}
    recorder = start()
    with network(broker) as net, living(net, LIVES):
        for _ in range(4):
            seen = len(rows(engine, Task))
            until(lambda seen=seen: len(rows(engine, Task)) > seen or seen == LIVES)
            threading.Event().wait(random.uniform(0, 0.1))  # somewhere in its next batch
            recorder.kill()
            recorder.release()
            recorder = start()
    until(lambda: all_recorded(engine, LIVES), 60)
    recorder.release()
    recorder.wait(20)
    assert recorder.exit_code == 0, recorder.last_words()
    check_exact(engine, LIVES)


def test_what_was_said_while_the_recorder_was_away_is_caught_up_and_used_time_is_right(broker, engine, until):
    fill(engine)
    with network(broker) as net:
        tasks = net.submit(40)
        net.report(tasks, State.STARTED)
        net.report(tasks, State.SUCCEEDED, at=1_000_030.0, started=1_000_000.0)
    with recording(broker.url(), engine):
        until(lambda: all_recorded(engine, 40))
    assert sum(used.compute_seconds for used in rows(engine, Usage)) == pytest.approx(40 * 30.0, rel=0.05)


def test_a_broker_that_is_killed_and_started_again_costs_nothing(own_node, own_broker, crash, engine, until):
    fill(engine)
    with recording(own_broker.url(), engine), network(own_broker) as net:
        with living(net, LIVES):
            until(lambda: len(rows(engine, Task)) > 50)
            crash(own_node)
            assert own_node.start(lifeline=True)
        until(lambda: all_recorded(engine, LIVES), 60)
    check_exact(engine, LIVES)


def test_a_database_that_is_locked_is_waited_for(broker, engine, until, caplog):
    fill(engine)
    impatient = open_engine(str(engine.url))
    event.listen(impatient, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50"))
    with closing_engine(impatient), recording(broker.url(), impatient), network(broker) as net:
        net.live(10)
        until(lambda: all_recorded(engine, 10))
        with engine.begin():  # a writer's, as all are
            net.live(10)
            until(lambda: "ledger.database_out" in caplog.messages)
        until(lambda: all_recorded(engine, 20))
    assert caplog.messages.count("ledger.database_out") == 1
    check_exact(engine, 20)


def test_a_database_that_is_full_is_waited_for(broker, engine, until, caplog):
    fill(engine)
    bounded, limit = open_engine(str(engine.url)), [2**30]
    event.listen(bounded, "checkout", lambda connection, *_: connection.execute(f"PRAGMA max_page_count = {limit[0]}"))
    with closing_engine(bounded), recording(broker.url(), bounded), network(broker) as net:
        net.live(10)
        until(lambda: all_recorded(engine, 10))
        with engine.connect() as connection:
            limit[0] = connection.execute(text("PRAGMA page_count")).scalar_one()
        net.live(200)
        until(lambda: "ledger.database_out" in caplog.messages)
        assert all_recorded(engine, 10)
        limit[0] = 2**30
        until(lambda: all_recorded(engine, 210))
    check_exact(engine, 210)


@pytest.mark.skipif(sys.platform == "win32", reason="PostgreSQL is tested on Linux and macOS")
def test_a_postgresql_that_is_killed_and_started_again_costs_nothing(broker, postgres_folder, until, caplog):
    url, server = start_postgres(postgres_folder)
    engine = open_engine(url)
    migrate(engine)
    fill(engine)
    with closing_engine(engine), recording(broker.url(), engine), network(broker) as net:
        with living(net, LIVES):
            until(lambda: len(rows(engine, Task)) > 50)
            for process in psutil.Process(server.pid).children(recursive=True):
                process.kill()
            stop_postgres(server)
            until(lambda: "ledger.database_out" in caplog.messages)
            _, server = start_postgres(postgres_folder)
        until(lambda: all_recorded(engine, LIVES), 60)
        check_exact(engine, LIVES)
    stop_postgres(server)


@contextmanager
def closing_engine(engine: Engine) -> Iterator[None]:
    yield
    engine.dispose()


@pytest.fixture
def postgres_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="starai-pg-") as folder:
        yield Path(folder)


def start_postgres(folder: Path) -> tuple[str, "subprocess.Popen[str]"]:
    server = subprocess.Popen(
        [sys.executable, postgres_server.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout
    return server.stdout.readline().strip(), server


def stop_postgres(server: "subprocess.Popen[str]") -> None:
    assert server.stdin
    assert server.stdout
    server.stdin.close()
    assert server.wait(20) == 0
    server.stdout.close()
