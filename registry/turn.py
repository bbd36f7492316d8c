"""A turn that one process at a time may have, among all that use the same registry."""

import contextlib
from collections.abc import Iterator

from filelock import FileLock, Timeout
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from starai.errors import RegistryError

# Held in PostgreSQL while one process sweeps; any number that no other program uses there will do.
_SWEEP_LOCK = 7_827_241_104


def sweeping_turn(engine: Engine) -> contextlib.AbstractContextManager[bool]:
    """Tell whether it is this process's turn to sweep; the turn ends with the block, or with the process.

    Raises:
        RegistryError: the database could not be reached.
    """
    return _of_postgresql(engine) if engine.dialect.name == "postgresql" else _of_sqlite(engine)


@contextlib.contextmanager
def _of_sqlite(engine: Engine) -> Iterator[bool]:
    path = engine.url.database
    if path in (None, "", ":memory:"):
        yield True
        return
    lock = FileLock(f"{path}.sweep", timeout=0, mode=0o600)
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
def _of_postgresql(engine: Engine) -> Iterator[bool]:
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        alone = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _SWEEP_LOCK})
    except SQLAlchemyError as error:
        raise RegistryError(f"The registry could not be reached: {error}. See that the database runs.") from error
    try:
        yield bool(alone)
    finally:
        with contextlib.suppress(SQLAlchemyError):  # a connection that is lost has lost its lock
            connection.execute(text("SELECT pg_advisory_unlock_all()"))
        connection.close()
