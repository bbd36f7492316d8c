"""How the registry uses SQLite: a private file, several processes at once, real transactions."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from broker_config.home import home, private_folder

# Seconds that a process waits for another one's lock.
_PATIENCE = 10.0
_PRAGMAS = (
    # First, because changing the journal already meets other processes' locks.
    f"PRAGMA busy_timeout = {int(1000 * _PATIENCE)}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
)


def default_url() -> URL:
    """Return the address of the registry in the project's home folder."""
    return URL.create("sqlite", database=str(home() / "registry.db"))


def prepare_file(url: URL) -> None:
    """Make the database's file, for this user alone, before SQLite would make it for everybody.

    SQLite gives its journal the permissions of the file.
    """
    if url.database in (None, "", ":memory:"):
        return
    path = Path(str(url.database))
    private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def configure(engine: Engine) -> None:
    """Set every connection up, and let every transaction begin as a writer's, but those that say ``reading``.

    A transaction that reads first and writes later fails at once, without waiting, when another one has written
    in between (SQLITE_BUSY_SNAPSHOT); one that begins as a writer waits for its turn.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: object) -> None:  # noqa: ARG001
        # The driver itself would begin no transaction for reads and for changes of tables.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            _patiently(connection, pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _patiently(connection: Any, pragma: str) -> None:
    """Set a connection up. Of several processes that make the journal at once SQLite lets all but one fail at once."""
    until, done = time.monotonic() + _PATIENCE, False
    while not done:
        try:
            connection.execute(pragma)
            done = True
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
