"""New databases for the recorder, of both kinds, and what they occupy."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import text

from bench.errors import BenchError
from ops.process import Process
from registry.database import open_engine

KINDS = ("SQLite", "PostgreSQL")
#: The tables in which a task has rows.
TABLES = ("tasks", "task_inputs", "attempts", "task_results")
_SERVER = Path(__file__).parents[2] / "tests" / "registry" / "postgres_server.py"
_SECONDS = 30.0


class Database:
    """One database, with its address and, where it has one, its server."""

    def __init__(self, url: str, server: Process | None = None) -> None:
        self.url = url
        self._server = server

    def processor(self) -> float:
        """Return the seconds of processor time that its server has taken."""
        if self._server is None:
            return 0.0
        family = psutil.Process(self._server.pid).children(recursive=True)
        return sum(sum(process.cpu_times()[:2]) for process in family)

    def sizes(self) -> dict[str, int]:
        """Return the bytes that each table and its indexes occupy."""
        engine = open_engine(self.url)
        by_table = (
            "SELECT pg_total_relation_size(:name)"
            if engine.dialect.name == "postgresql"
            else "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = :name)"
        )
        with engine.connect() as connection:
            found = {name: connection.execute(text(by_table), {"name": name}).scalar_one() for name in TABLES}
        engine.dispose()
        return found


@contextmanager
def database(kind: str) -> Iterator[Database]:
    """Make an empty database: a file, or a PostgreSQL server of its own. Both write to the disk before they commit."""
    # A socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="starai-db-"))
    try:
        if kind == "SQLite":
            yield Database(f"sqlite:///{folder / 'registry.db'}")
            return
        server = Process("postgres", [sys.executable, str(_SERVER), "--durable", str(folder)], folder)
        try:
            yield Database(_answering(server), server)
        finally:
            server.release()
            server.wait(_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answering(server: Process) -> str:
    """Return the server's address once it answers: its first line."""
    deadline = time.monotonic() + _SECONDS
    while not (found := [line for line in server.log.read_text().splitlines() if line.startswith("postgresql://")]):
        if server.exit_code is not None or time.monotonic() > deadline:
            raise BenchError(f"PostgreSQL did not start.\n{server.last_words()}")
        time.sleep(0.05)
    return found[0]
