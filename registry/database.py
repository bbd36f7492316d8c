"""The registry's database: where it is, one transaction on it, and its migrations.

It is SQLite in the project's home folder unless ``STARAI_DATABASE_URL`` names another, SQLite or PostgreSQL.
"""

import contextlib
from collections.abc import Iterator

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)
from sqlmodel import Session

from registry import sqlite
from starai.errors import RegistryError, SettingError

# Held in PostgreSQL while one process migrates; any number that no other program uses there will do.
_MIGRATION_LOCK = 7_827_241_103


class DatabaseSettings(BaseSettings):
    """``STARAI_DATABASE_URL``: a ``sqlite:///`` or ``postgresql://`` address, by default a file in the home folder."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    database_url: SecretStr | None = None


def open_engine(url: str | None = None) -> Engine:
    """Return the engine for the registry. It connects when it is first used; ``dispose()`` closes it.

    Args:
        url: the database's address; by default what the settings say.

    Raises:
        SettingError: the address cannot be read, or is of another kind of database.
        RegistryError: the SQLite file cannot be made.
    """
    address = _address(url)
    if address.get_backend_name() == "postgresql":
        return create_engine(address.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)
    try:
        sqlite.prepare_file(address)
    except OSError as error:
        raise RegistryError(f"The registry's file {address.database} cannot be made: {error.strerror}.") from error
    engine = create_engine(address, hide_parameters=True)
    sqlite.configure(engine)
    return engine


@contextlib.contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """Open one transaction: committed at the end, undone on any error. What it returned stays readable afterwards.

    Raises:
        RegistryError: the database refused, or could not be reached.
    """
    with _translated(engine), Session(engine, expire_on_commit=False) as opened, opened.begin():
        yield opened


def reading(engine: Engine) -> contextlib.AbstractContextManager[Session]:
    """Open one transaction that only reads, so that in SQLite nobody who writes waits for it.

    Raises:
        RegistryError: as :func:`session` does.
    """
    return session(engine.execution_options(reading=True))


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database's tables to a revision, by default the newest, all at once or not at all.

    Does nothing where that is done already; a second process that migrates at the same time waits.

    Raises:
        RegistryError: the database refused, could not be reached, or was written by a newer StarAI.
    """
    config = Config()
    config.set_main_option("script_location", "registry:migrations")
    with _translated(engine), engine.begin() as connection:
        _wait_for_turn(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _address(url: str | None) -> URL:
    if url is None:
        setting = DatabaseSettings().database_url
        if setting is None:
            return sqlite.default_url()
        url = setting.get_secret_value()
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise SettingError(
            "The registry's address cannot be read. Use sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from error
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingError(f"The registry cannot be kept in {address.get_backend_name()}: use sqlite or postgresql.")
    return address


def _wait_for_turn(connection: Connection) -> None:
    """Let one process migrate at a time. In SQLite the transaction has begun as a writer's: that is enough."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


@contextlib.contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    """Raise the registry's error for SQLAlchemy's and Alembic's, without password, statement or parameters."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except (InterfaceError, OperationalError, ProgrammingError) as error:
        raise RegistryError(
            f"The registry at {where} could not be reached or used: {str(error.orig).strip()}. "
            "See that the database runs, that STARAI_DATABASE_URL names it, and that it was migrated."
        ) from error
    except StatementError as error:
        raise RegistryError(f"The registry at {where} refused a change: {str(error.orig).strip()}.") from error
    except SQLAlchemyError as error:
        raise RegistryError(f"The registry at {where} could not be used: {error}.") from error
    except CommandError as error:
        raise RegistryError(
            f"The registry at {where} cannot be migrated: {error}. Was it written by a newer StarAI? Then use that one."
        ) from error
