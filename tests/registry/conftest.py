import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlmodel import Session

from broker_config.regions import Region
from registry.database import migrate, open_engine, session
from registry.devices import enrol_device
from registry.owners import add_owner


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that ends with this test process."""
    if sys.platform == "win32":
        pytest.skip("PostgreSQL is tested on Linux and macOS")
    server = [sys.executable, str(Path(__file__).with_name("postgres_server.py"))]
    with subprocess.Popen(
        server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "PostgreSQL did not start; what it said stands above"
        yield url
        process.stdin.close()
    assert process.returncode == 0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'registry.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    admin = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(server).set(database=name).render_as_string()
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def empty(url: str) -> Iterator[Engine]:
    """An engine on an empty database."""
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    """An engine on a migrated database."""
    migrate(empty)
    return empty


@pytest.fixture
def registry(engine: Engine) -> Iterator[Session]:
    """A transaction in which the owner `ada` has the device `device-1`, in Europe."""
    with session(engine) as opened:
        add_owner(opened, "ada")
        enrol_device(opened, "device-1", "ada", Region.EUROPE)
        yield opened


@pytest.fixture
def at_once(url: str) -> Callable[..., list[str]]:
    """Return a function that runs code in several processes, each with its own engine, and returns what they print.

    They begin when the last of them is ready.
    """

    def run(code: str, imports: str = "", processes: int = 4) -> list[str]:
        common = "from registry.database import migrate, open_engine, session\nfrom registry.owners import add_owner"
        prepare = f"import os, sys\n{common}\n{imports}\nengine = open_engine(sys.argv[1])"
        command = [sys.executable, "-c", f"{prepare}\nprint('ready', flush=True)\nsys.stdin.readline()\n{code}", url]
        running = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        printed = [process.communicate(timeout=60)[0] for process in running]
        assert [process.returncode for process in running] == [0] * processes
        return printed

    return run
