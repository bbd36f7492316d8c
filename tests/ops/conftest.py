"""A home of its own for each test, with the model in it, and the commands as real processes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pika
import platformdirs
import psutil
import pytest
from click.testing import CliRunner, Result
from pika.exceptions import AMQPError

from broker_config.apply import apply
from broker_config.node import Node
from broker_config.roles import Role
from broker_config.settings import BrokerSettings
from broker_config.topology import network_topology
from broker_config.users import put_user
from models.catalogue import load_catalogue
from models.store import ModelStore
from ops.cli import main


@pytest.fixture
def run() -> Callable[..., Result]:
    """Return a function that runs ``starai`` with these arguments in this process."""
    return lambda *arguments, **more: CliRunner().invoke(main, arguments, **more)


@pytest.fixture(autouse=True)
def _no_other_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test operates the broker of whoever runs it."""
    for name in ("MANAGEMENT_URL", "BROKER_CA", "BROKER_PLAIN", "BROKER_TLS", "BROKER_HOST"):
        monkeypatch.delenv(f"STARAI_{name}", raising=False)
    # Any that is free: another test's network may have taken the one that was kept.
    monkeypatch.setenv("STARAI_PHONES_PORT", "0")


@pytest.fixture
def operated(node: Node) -> Node:
    """A node that stands as the one of the test's home, with the network's topology; the registry is empty."""
    apply(node.url(), network_topology(BrokerSettings().queue_type))
    home = Path(os.environ["STARAI_HOME"])
    home.mkdir(mode=0o700)
    (home / "broker").symlink_to(node.folder, target_is_directory=True)
    return node


@pytest.fixture
def operate_as(operated: Node, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that lets the commands reach the same node as a user who may not make users."""

    def name(user: str) -> None:
        put_user(operated.api, user, "hunter2", Role())
        monkeypatch.setenv("STARAI_BROKER_URL", operated.url(user, "hunter2"))
        monkeypatch.setenv("STARAI_MANAGEMENT_URL", f"http://127.0.0.1:{operated.file.management}")

    return name


@pytest.fixture
def is_cut() -> Callable[[pika.BlockingConnection], bool]:
    """Return a function that tells whether the broker has closed a connection."""

    def look(connection: pika.BlockingConnection) -> bool:
        with contextlib.suppress(AMQPError):
            connection.process_data_events(0.1)
        return bool(connection.is_closed)

    return look


@pytest.fixture
def home(_clean_environment: None, tmp_path: Path) -> Path:
    """The home folder of the test, which has the model already."""
    home = Path(os.environ["STARAI_HOME"])
    home.mkdir(mode=0o700)
    chosen = os.environ.get("STARAI_TEST_MODELS")
    shared = Path(chosen) if chosen else platformdirs.user_cache_path("starai-test-models", appauthor=False)
    ModelStore(shared).ensure(load_catalogue().get("all-minilm-l6-v2"))
    (home / "models").symlink_to(shared, target_is_directory=True)
    return home


class Starai:
    """``starai`` as a process of its own; what it says is in ``log``."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.log = home.parent / f"{arguments[0]}.log"
        with self.log.open("wb") as output:
            command = [sys.executable, "-P", "-m", "ops.cli", *arguments]
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    def says(self, text: str) -> bool:
        """Tell whether it has said that; it must not have ended without."""
        found = text in self.log.read_text("utf-8")
        assert found or self.process.poll() is None, self.log.read_text("utf-8")
        return found

    def end(self, number: signal.Signals) -> int:
        """Send it a signal and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def starai(home: Path) -> Iterator[Callable[..., Starai]]:
    """Return a function that starts ``starai`` with these arguments; whatever it left is ended after the test."""
    started: list[Starai] = []

    def start(*arguments: str) -> Starai:
        started.append(Starai(home, *arguments))
        return started[-1]

    yield start
    for command in started:
        command.process.kill()
        command.process.wait()
    for process, _ in processes_in(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture
def left_running(home: Path) -> Callable[[], list[str]]:
    """Return a function that lists the processes that have to do with the test's home."""
    return lambda: [command for _, command in processes_in(home)]


def processes_in(home: Path) -> list[tuple[psutil.Process, str]]:
    """Return every process, but this one, that was started for this home, with its command."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            if process.pid != os.getpid() and any(str(home) in value for value in process.environ().values()):
                found.append((process, " ".join(process.cmdline())[:120]))
    return found
