import stat
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlmodel import select

from broker_config.regions import Region
from registry import health_tables, task_tables  # noqa: F401 - for their tables
from registry.database import migrate, open_engine, session
from registry.deployments import deployments_of
from registry.device_state import DeviceState
from registry.devices import enrolled_devices, find_device
from registry.owners import add_owner
from registry.sweeping import running_attempts
from registry.tables import Device, Owner, Table
from starai.errors import RegistryError, SettingError

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def owners(engine: Engine) -> list[str]:
    with session(engine) as registry:
        return sorted(owner.name for owner in registry.exec(select(Owner)))


def checks(engine: Engine) -> set[tuple[str, str | None]]:
    inspector = inspect(engine)
    return {(table, c["name"]) for table in inspector.get_table_names() for c in inspector.get_check_constraints(table)}


def enrol_in_older(engine: Engine) -> None:
    """Write an owner's device down as before devices had a state."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO owners (id, name) VALUES (1, 'ada')"))
        row = "INSERT INTO devices (id, owner_id, region, enrolled_at) VALUES ('device-1', 1, 'oceania', :at)"
        connection.execute(text(row), {"at": "2026-01-01 00:00:00.000000"})


def test_the_migrations_make_exactly_the_tables_that_the_models_declare(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Table.metadata) == []


def test_the_migrations_make_the_checks_that_the_models_declare(engine: Engine, tmp_path: Path) -> None:
    declared = open_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    Table.metadata.create_all(declared)
    assert checks(engine) == checks(declared) != set()
    declared.dispose()


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    with session(engine) as registry:
        add_owner(registry, "ada")
    migrate(engine)
    assert owners(engine) == ["ada"]


def test_an_older_database_is_brought_up_with_what_it_holds(empty: Engine) -> None:
    migrate(empty, "0001")
    enrol_in_older(empty)
    assert not inspect(empty).has_table("deployments")
    migrate(empty)
    with session(empty) as registry:
        assert [device.id for device in enrolled_devices(registry)] == ["device-1"]
    assert inspect(empty).has_table("deployments")


def test_deployments_of_an_older_database_were_never_timed(empty: Engine) -> None:
    migrate(empty, "0002")
    enrol_in_older(empty)
    with empty.begin() as connection:
        row = "INSERT INTO deployments (device_id, model, tier, slots) VALUES ('device-1', 'phi3-3.8b', 'medium', 2)"
        connection.execute(text(row))
    migrate(empty)
    with session(empty) as registry:
        (found,) = deployments_of(registry, "device-1")
    assert (found.slots, found.threads, found.tasks_per_second) == (2, None, None)


def test_devices_of_an_older_database_are_inactive_until_they_are_checked(empty: Engine) -> None:
    migrate(empty, "0003")
    enrol_in_older(empty)
    migrate(empty)
    with session(empty) as registry:
        device = find_device(registry, "device-1")
    assert (device.state, device.name, device.hardware_id) == (DeviceState.INACTIVE, None, None)
    assert device.enrolled_at.year == 2026


def test_attempts_of_an_older_database_go_on_and_never_said_that_they_did(empty: Engine) -> None:
    migrate(empty, "0009")
    columns = "submitter, task, run, device, started_at, outcome, cleared"
    row = f"INSERT INTO attempts ({columns}) VALUES ('ada', 't', 'run', 'device-1', :at, 'running', false)"
    with empty.begin() as connection:
        connection.execute(text(row), {"at": "2026-01-01 00:00:00.000000"})
    migrate(empty)
    with session(empty) as registry:
        (found,) = running_attempts(registry, NEW_YEAR + timedelta(days=1), 10)
    assert (found.run, found.started_at, found.progressed_at) == ("run", NEW_YEAR, None)


def test_a_database_of_a_newer_release_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RegistryError, match="newer StarAI"):
        migrate(engine)


def test_a_migration_that_fails_leaves_nothing_behind(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE deployments (mine INTEGER)"))
    with pytest.raises(RegistryError, match="deployments"):
        migrate(empty)
    assert inspect(empty).get_table_names() == ["deployments"]


@pytest.mark.process
def test_processes_may_migrate_at_once(empty: Engine, at_once: Callable[..., list[str]]) -> None:
    at_once("migrate(engine)")
    assert owners(empty) == []


@pytest.mark.process
def test_processes_may_write_at_once(engine: Engine, at_once: Callable[..., list[str]]) -> None:
    code = """
for _ in range(20):
    with session(engine) as registry:
        add_owner(registry, f"process {os.getpid()}")
        add_owner(registry, "everybody's")
"""
    at_once(code)
    assert len(owners(engine)) == 4 + 1


def test_who_reads_first_may_write_although_another_writes_meanwhile(engine: Engine) -> None:
    written = threading.Event()

    def write() -> None:
        with session(engine) as registry:
            add_owner(registry, "bob")
        written.set()

    thread = threading.Thread(target=write)
    with session(engine) as registry:
        assert registry.exec(select(Owner)).all() == []
        thread.start()
        # SQLite lets the other one wait for us, PostgreSQL does not.
        written.wait(0.3)
        add_owner(registry, "ada")
    thread.join(10)
    assert owners(engine) == ["ada", "bob"]


def test_an_error_undoes_the_whole_transaction(engine: Engine) -> None:
    def add_and_fail() -> None:
        with session(engine) as registry:
            add_owner(registry, "ada")
            raise KeyError

    with pytest.raises(KeyError):
        add_and_fail()
    assert owners(engine) == []


def test_a_row_that_refers_to_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(RegistryError, match=r"(?i)refused.*foreign key"), session(engine) as registry:
        registry.add(Device(id="device-1", owner_id=99, region=Region.ASIA))


def test_a_region_that_does_not_exist_is_refused(engine: Engine) -> None:
    with pytest.raises(RegistryError, match=r"refused.*atlantis"), session(engine) as registry:
        registry.add(Device(id="device-1", owner_id=add_owner(registry, "ada").id, region="atlantis"))


def test_a_database_that_was_not_migrated_says_so(empty: Engine) -> None:
    with pytest.raises(RegistryError, match="migrated") as caught:
        owners(empty)
    assert caught.value.__cause__ is not None


def test_an_unreachable_database_is_an_error_without_the_password(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql://ada:geheim@/registry?host={tmp_path}")
    with pytest.raises(RegistryError, match="could not be reached") as caught:
        owners(engine)
    assert "geheim" not in str(caught.value)
    assert "ada" in str(caught.value)


@pytest.mark.parametrize("address", ["mysql://ada:geheim@localhost/registry", "geheim"])
def test_an_address_that_cannot_be_used_is_a_setting_error(address: str) -> None:
    with pytest.raises(SettingError, match="sqlite") as caught:
        open_engine(address)
    assert "geheim" not in str(caught.value)


def test_the_environment_names_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STARAI_DATABASE_URL", f"sqlite:///{tmp_path / 'mine.db'}")
    engine = open_engine()
    migrate(engine)
    engine.dispose()
    assert (tmp_path / "mine.db").stat().st_size > 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps its permissions elsewhere")
def test_by_default_it_is_a_private_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STARAI_DATABASE_URL", raising=False)
    monkeypatch.setenv("STARAI_HOME", str(tmp_path / "home"))
    engine = open_engine()
    migrate(engine)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").iterdir()}
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("registry.db", "registry.db-shm", "registry.db-wal"), 0o600)
    engine.dispose()


def test_a_file_that_cannot_be_made_is_a_registry_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RegistryError, match="cannot be made"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'registry.db'}")


def test_sqlite_keeps_its_promises_on_every_connection(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'registry.db'}")
    pragmas = {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 1, "busy_timeout": 10_000}
    with engine.connect() as connection, engine.connect() as other:
        other.rollback()
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas} == pragmas
    engine.dispose()
