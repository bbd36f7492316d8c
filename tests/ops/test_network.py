"""The whole network on this machine, as its users run it: real processes, real signals."""

import json
import signal

import httpx
import pytest
from sqlmodel import select

from broker_config import names
from broker_config.node import Node
from models.plan import MOST_SLOTS
from ops.flower.login import announced_address
from ops.phone.announced import announced_page
from registry.database import open_engine, session
from registry.tables import Deployment
from registry.task_state import TaskState
from registry.task_tables import LedgerMark, Task
from starai import Client
from starai.errors import UnknownModel
from starai.generation import Options
from tests.models.tiny_models import ANSWERS, MOST, TINY, tiny_entry

pytestmark = pytest.mark.process

READY = "Ctrl-C stops it"
MEASURED = "a short measurement of this machine"
TEXTS = ["a small cat", "a kitten", "tax law"]


def test_a_network_answers_and_ctrl_c_leaves_nothing_running(starai, run, until, left_running):
    network = starai("up", "--devices", "2", "--region", "asia", "--region", "africa")
    until(lambda: network.says(READY), 90)

    with Client() as client:
        vectors = client.submit("all-minilm-l6-v2", TEXTS).result(30)
        with pytest.raises(UnknownModel, match="Hosted now: all-minilm-l6-v2"):
            client.submit("llama3-70b", TEXTS).result(30)
    from_stdin = run("submit", "tiny", "--json", "--region", "africa", input="one\n\ntwo\n")
    second = run("up")
    until(lambda: recorded(LedgerMark))
    looked_at = httpx.get(announced_address() or "", trust_env=False)
    phones = announced_page() or ""
    page = httpx.get(f"{phones}/phone/", trust_env=False)

    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert json.loads(from_stdin.stdout)["region"] == "africa"
    assert len(json.loads(from_stdin.stdout)["vectors"]) == 2
    assert "A network runs already" in second.output
    assert looked_at.status_code == 401
    assert page.status_code == 200
    assert network.says(f"The page for phones: {phones}/phone/")
    assert network.says("Of the platform: recorder, platform, beat")
    assert network.end(signal.SIGINT) == 0
    assert left_running() == []
    assert announced_page() is None
    states = [task.state for task in sorted(recorded(Task), key=lambda task: task.submitted_at)]
    assert states == [TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SUCCEEDED]


@pytest.mark.timeout(300)
def test_a_language_model_of_the_owners_is_hosted_beside_others_and_answers(starai, until, home):
    entry, answer = tiny_entry("tiny-llama"), next(one for one in ANSWERS if one["model"] == "tiny-llama")
    source = f'source = {{ type = "folder", path = "{(TINY / entry.name).as_posix()}" }}'
    figures = f"parameters = {entry.parameters}\nweight_bytes = {entry.weight_bytes}\nkv_bytes_per_token = 1024"
    text = f'[[model]]\nname = "{entry.name}"\nkind = "generate"\nlicence = "MIT"\n{figures}\n{source}\n'
    (home / "models.toml").write_text(text, "utf-8")
    network = starai("up", "--devices", "1", "--model", entry.name, "--model", "all-minilm-l6-v2")
    until(lambda: network.says(READY), 150)

    with Client() as client:
        job = client.submit(entry.name, answer["prompt"], options=Options(max_tokens=MOST))
        assert job.result(60).text == answer["text"]
        assert client.submit("all-minilm-l6-v2", "text").result(60).shape == (384,)
    hosted = {deployment.model: deployment for deployment in recorded(Deployment)}
    assert hosted[entry.name].slots == MOST_SLOTS
    assert hosted[entry.name].tasks_per_second > 1
    assert network.end(signal.SIGINT) == 0


def recorded(table):
    """What the registry has in a table of the ledger's."""
    engine = open_engine()
    with session(engine) as registry:
        rows = registry.exec(select(table)).all()
    engine.dispose()
    return rows


def test_a_killed_network_leaves_nothing_running_and_the_next_one_starts(starai, until, left_running):
    killed = starai("up", "--devices", "1")
    until(lambda: killed.says(READY), 90)
    assert killed.says(MEASURED)
    killed.end(signal.SIGKILL)

    again = starai("up", "--devices", "1")
    until(lambda: again.says(READY), 90)
    with Client() as client:
        assert client.submit("all-minilm-l6-v2", "text").result(30).shape == (384,)
    assert not again.says(MEASURED)
    again.end(signal.SIGKILL)

    until(lambda: not left_running(), 60)


def test_sigterm_in_the_middle_of_the_start_leaves_nothing_running(starai, until, left_running):
    network = starai("up", "--devices", "1")
    until(lambda: any("beam" in line for line in left_running()), 60)

    assert network.end(signal.SIGTERM) == 0
    assert left_running() == []


def test_a_device_that_ends_is_named_while_the_others_go_on(starai, until, home):
    network = starai("up", "--devices", "2", "--region", "asia")
    until(lambda: network.says(READY), 90)
    Node().api.delete_user("local-asia-2")
    until(lambda: "local-asia-2" not in users(Node()))

    with Client() as client:
        assert len(list(client.map("all-minilm-l6-v2", TEXTS * 20, batch=4))) == 60


def users(node: Node) -> set[str]:
    return {consumer["channel_details"]["user"] for consumer in node.api.consumers(names.VHOST)}


def test_a_node_of_its_own_serves_the_network_and_outlives_it(starai, run, until, home):
    started = starai("broker", "start")
    try:
        assert started.process.wait(60) == 0
        network = starai("up", "--devices", "1")
        until(lambda: network.says(READY), 90)
        network.end(signal.SIGINT)

        assert started.log.read_text("utf-8").startswith("Started: RabbitMQ")
        assert json.loads(run("broker", "status", "--json").output)["running"] is True
        assert run("broker", "check").output == "It has everything that the network needs.\n"
        assert run("broker", "start").output.startswith("Runs already")
    finally:
        stopped = run("broker", "stop")
    assert stopped.output == "Stopped.\n"


def test_the_demo_loses_a_device_and_no_task(starai, left_running, home):
    text = home.parent / "text.txt"
    text.write_text("\n\n".join(f"Sentence number {n} is about the number {n * n}." for n in range(200)))

    demo = starai("demo", "--text", str(text), "--json")

    assert demo.process.wait(110) == 0, demo.log.read_text("utf-8")
    assert json.loads(demo.log.read_text("utf-8").splitlines()[-1])["passed"] is True
    assert left_running() == []
