"""`starai-worker start` as a command."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from worker.cli import main

ROOT = Path(__file__).parents[2]


def starai_worker(*arguments, **more):
    command = [sys.executable, "-P", "-m", "worker.cli", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment, **more)


def test_without_an_enrolment_it_says_so_and_exits_with_1(tmp_path):
    run = starai_worker("start", "--enrolment", str(tmp_path / "none.json"))

    assert run.returncode == 1
    assert "has not joined a network" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_option_but_what_is_for_ops_alone(option):
    run = CliRunner().invoke(main, ["start", option])

    assert run.exit_code == 0
    assert all(name in run.output for name in ("--enrolment", "--grace", "--verbose"))
    assert "--lifeline" not in run.output


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--enrollment", "x"], "--enrolment"),
        (["--gracee", "1"], "--grace"),
        (["--lifelin"], "--lifeline"),
        (["--verbos"], "--verbose"),
        (["--grace", "soon"], "not a valid float"),
        (["--grace", "-1"], "not in the range"),
        (["--enrolment", "."], "is a directory"),
        (["now"], "unexpected extra argument"),
    ],
)
def test_a_wrong_option_is_an_error_that_says_what_was_meant(arguments, meant):
    run = CliRunner().invoke(main, ["start", *arguments])

    assert run.exit_code == 2
    assert meant in run.output


def test_a_broker_that_does_not_answer_ends_the_first_start_and_the_password_is_not_shown(enrol, broker):
    file = enrol(broker, "lonely", "asia", 1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        file.write_text(file.read_text().replace(f":{broker.node.file.amqp}/", f":{port}/"))
        run = starai_worker("start", "--enrolment", str(file))

    assert run.returncode == 1
    assert f"127.0.0.1:{port}" in run.stderr
    assert "secret-of" not in run.stderr
    assert "Traceback" not in run.stderr


def test_a_broker_that_refuses_the_login_ends_the_first_start(enrol, broker):
    file = enrol(broker, "stranger", "asia", 1)
    file.write_text(file.read_text().replace("secret-of", "not-the-secret-of"))

    run = starai_worker("start", "--enrolment", str(file))

    assert run.returncode == 1
    assert "refused the login" in run.stderr
    assert "secret-of" not in run.stderr
