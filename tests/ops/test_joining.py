"""A second machine joins a running network by the README's two commands, and serves."""

import json
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import psutil
import pytest

from broker_config.join_token import parse
from starai import Client

pytestmark = pytest.mark.process

READY = "Ctrl-C stops it"


class Machine:
    """Another machine, as far as StarAI can tell: a home of its own. The models are shared, to save the download."""

    def __init__(self, folder, models):
        self.home = folder / "another-machine"
        self.home.mkdir(mode=0o700)
        (self.home / "models").symlink_to(models, target_is_directory=True)
        self.log = folder / "another-machine.log"

    def worker(self, *arguments, **more):
        command = [sys.executable, "-P", "-m", "worker.cli", *arguments]
        # Of what the plan gives it only what is here already is to be tried: the hub is not asked.
        environment = {**os.environ, "STARAI_HOME": str(self.home), "HF_HUB_OFFLINE": "1"}
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, **more)

    def join(self, token):
        joining = self.worker("join", "-", stdin=subprocess.PIPE)
        joining.communicate(f"{token}\n".encode(), 120)
        assert joining.returncode == 0, self.log.read_text("utf-8")

    @property
    def enrolment(self):
        return json.loads((self.home / "enrolment.json").read_text("utf-8"))


@pytest.fixture
def network(starai, until):
    network = starai("up", "--devices", "1", "--region", "asia")
    until(lambda: network.says(READY), 90)
    yield network
    network.end(signal.SIGINT)


@pytest.fixture
def machine(tmp_path, home):
    return Machine(tmp_path, (home / "models").resolve())


@pytest.fixture
def token(network, run):
    run("owners", "add", "ann")
    return json.loads(run("tokens", "issue", "--owner", "ann", "--region", "africa", "--json").stdout)["token"]


@pytest.fixture
def device(machine, token):
    machine.join(token)
    process = machine.worker("start")
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def served_in(region):
    with Client(region=region) as client:
        job = client.submit("all-minilm-l6-v2", "text")
        job.result(30)
        return job.reports[-1].region


def test_it_serves_within_a_minute_is_taken_out_of_work_and_comes_back(device, machine, run, until):
    name = machine.enrolment["device"]
    until(lambda: served_in("africa") == "africa", 60)

    assert run("devices", "deactivate", name, "--grace", "5").exit_code == 0
    until(lambda: served_in("africa") == "asia", 30)
    assert device.poll() is None
    assert run("devices", "activate", name).exit_code == 0

    until(lambda: served_in("africa") == "africa", 30)
    listed = json.loads(run("devices", "list", "--json").stdout)["devices"]
    assert {(each["device"], each["owner"], each["state"]) for each in listed} == {
        (name, "ann", "active"),
        ("local-asia-1", "local", "active"),
    }


def test_no_secret_is_in_a_log_an_argument_or_what_is_listed(device, machine, token, run, until, home):
    until(lambda: served_in("africa") == "africa", 60)
    known = parse(token)
    secrets = [token, known.secret.get_secret_value(), known.password.get_secret_value()]
    secrets.append(urlsplit(machine.enrolment["url"]).password)
    shown = [run(*command, "--json").output for command in (("devices",), ("tokens", "list"), ("owners", "list"))]
    shown.append(run("devices", "show", machine.enrolment["device"], "--json").output)
    arguments = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    logs = [file.read_text("utf-8", "replace") for file in (*home.rglob("*.log"), machine.log)]

    assert len(logs) >= 3
    for text in (*shown, *arguments, *logs):
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.timeout(300)
def test_a_model_that_it_serves_with_is_not_removed(device, machine, until):
    until(lambda: served_in("africa") == "africa", 60)

    refused = machine.worker("models", "remove", "--yes", "all-minilm-l6-v2")

    assert refused.wait(60) == 1
    assert "A device that runs uses all-minilm-l6-v2" in machine.log.read_text("utf-8")
    assert served_in("africa") == "africa"
