"""The command `starai record`, as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from broker_config import names
from ops.process import Process


@pytest.fixture
def start(broker, tmp_path) -> Iterator[Callable[..., Process]]:
    started = []

    def start(*options: str) -> Process:
        variables = {"STARAI_BROKER_URL": broker.url(), "STARAI_DATABASE_URL": f"sqlite:///{tmp_path / 'registry.db'}"}
        process = Process("recorder", [sys.executable, "-P", "-m", "ops.cli", "record", *options], tmp_path, variables)
        started.append(process)
        return process

    yield start
    for process in started:
        process.release()
        process.wait(20)


def consumers(broker) -> int:
    with broker.channel() as channel:
        return channel.queue_declare(names.LEDGER, passive=True).method.consumer_count


def test_it_ends_with_its_lifeline(broker, start, until):
    process = start("--lifeline")
    until(lambda: consumers(broker) == 1)
    process.release()
    process.wait(20)
    assert process.exit_code == 0, process.last_words()
    until(lambda: consumers(broker) == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(broker, start, until, number):
    process = start()
    until(lambda: consumers(broker) == 1)
    subprocess.run(["kill", f"-{number.name.removeprefix('SIG')}", str(process.pid)], check=True)
    until(lambda: process.exit_code is not None)
    assert process.exit_code == 0, process.last_words()


def refused(tmp_path, **variables: str) -> str:
    """Run it where it cannot work, and return what it says."""
    environment = {**os.environ, "STARAI_HOME": str(tmp_path), **variables}
    command = [sys.executable, "-P", "-m", "ops.cli", "record"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_it_says_what_is_missing(tmp_path):
    assert "STARAI_BROKER_URL" in refused(tmp_path)


def test_it_says_that_the_broker_does_not_answer(tmp_path):
    told = refused(tmp_path, STARAI_BROKER_URL="amqp://platform:secret@127.0.0.1:1/starai")
    assert "127.0.0.1:1" in told
    assert "secret" not in told


def test_it_says_that_the_network_was_never_set_up(tmp_path, empty_broker):
    assert "refused" in refused(tmp_path, STARAI_BROKER_URL=empty_broker.url())


def test_it_says_that_the_database_does_not_answer(tmp_path, broker):
    url = "postgresql://nobody:secret@127.0.0.1:1/none"
    told = refused(tmp_path, STARAI_BROKER_URL=broker.url(), STARAI_DATABASE_URL=url)
    assert "127.0.0.1:1" in told
    assert "secret" not in told
