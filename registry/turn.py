"""A turn that one process at a time may have, among all that use the same registry."""

import contextlib
import time
from collections.abc import Iterator
from enum import Enum

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from starai.errors import RegistryError

_LOOK = 0.1


class Turn(Enum):
    """What is done by one process at a time; its number is held in PostgreSQL: any that no other program uses."""

    SWEEP = 7_827_241_104
    HEALTH = 7_827_241_105


def turn(engine: Engine, of: Turn, patience: float = 0.0) -> contextlib.AbstractContextManager[bool]:
    """Tell whether it is this process's turn; it ends with the block, or with the process.

    Args:
        engine: the registry's.
        of: what for.
        patience: seconds to wait while it is another's.

    Raises:
        RegistryError: the database could not be reached.
    """
    take = _of_postgresql if engine.dialect.name == "postgresql" else _of_sqlite
    return take(engine, of, patience)


@contextlib.contextmanager
def _of_sqlite(engine: Engine, of: Turn, patience: float) -> Iterator[bool]:
    path = engine.url.database
    if path in (None, "", ":memory:"):
        yield True
        return
    lock = FileLock(f"{path}.{of.name.lower()}", timeout=patience, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextlib.contextmanager
def _of_postgresql(engine: Engine, of: Turn, patience: float) -> Iterator[bool]:
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        alone = _take(connection, of, time.monotonic() + patience)
    except SQLAlchemyError as error:
        raise RegistryError(f"The registry could not be reached: {error}. See that the database runs.") from error
    try:
        yield alone
    finally:
        with contextlib.suppress(SQLAlchemyError):  # a connection that is lost has lost its lock
            connection.execute(text("SELECT pg_advisory_unlock_all()"))
        connection.close()


def _take(connection: Connection, of: Turn, until: float) -> bool:
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": of.value}):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK)
    return True
