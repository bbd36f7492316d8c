"""`starai jobs failed`: what queues gave up, and how it is put back, at a real broker."""

import json
from datetime import UTC, datetime

import pika
import pytest

from broker_config import names
from broker_config.address import parameters
from broker_config.apply import apply
from broker_config.regions import Region
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, model_topology
from ops.access import open_registry
from registry.database import session
from registry.task_state import TaskState
from registry.task_tables import DeadLetter, Task, TaskAction, TaskInput
from starai.submission import publication, submission

MODEL = HostedModel("qwen2.5-0.5b", Tier.SMALL)
QUEUE = names.task_queue(Region.ASIA, MODEL.tier, MODEL.name)
NOW = datetime.now(UTC)


def letter(number, task=None, **columns):
    """Return a dead letter as the recorder writes it, of a task of that id, or of junk."""
    sent = publication(submission(MODEL.name, ["abc"], Region.ASIA, 60), "ann", "reply.ann-1a")
    headers = {**sent.properties.headers, "id": task} if task else {}
    known = {
        "id": number,
        "digest": f"{number:064}",
        "submitter": "ann",
        "task": task,
        "reply_to": "reply.ann-1a" if task else None,
        "key": sent.key,
        "queue": QUEUE,
        "reason": "delivery_limit",
        "deaths": 3,
        "headers": json.dumps(headers),
        "body": sent.body,
    }
    return DeadLetter(**known | columns)


def ended(name, state=TaskState.FAILED):
    known = {"region": "asia", "target": "qwen2-5-0-5b", "reply_to": "reply.ann-1a", "bytes_in": 2}
    return Task(submitter="ann", id=name, state=state, ended_at=NOW, **known)


@pytest.fixture
def queue(operated):
    """The model's queue in Asia, empty."""
    apply(operated.url(), model_topology(MODEL))
    with pika.BlockingConnection(parameters(operated.url())) as connection:
        channel = connection.channel()
        channel.queue_purge(QUEUE)
        yield lambda: [channel.basic_get(QUEUE, auto_ack=True) for _ in range(depth(channel))]


def depth(channel):
    return channel.queue_declare(QUEUE, passive=True).method.message_count


def add(*rows):
    with open_registry() as engine, session(engine) as registry:
        registry.add_all(rows)


def rows(kind):
    with open_registry() as engine, session(engine) as registry:
        return registry.query(kind).all()


def data(run, *arguments):
    return json.loads(run("jobs", "failed", *arguments, "--json").stdout)


def test_dead_letters_are_listed_with_why_how_often_and_where(run):
    add(letter(1, "t1"), letter(2))

    (newest, oldest) = data(run)["failed"]
    shown = run("jobs", "failed").stdout

    assert (newest["task"], oldest["task"], oldest["submitter"]) == (None, "t1", "ann")
    assert "came back more often than the queue allows (3 times" in oldest["why"]
    assert QUEUE in oldest["why"]
    assert "t1" in shown
    assert "no task" in shown


def test_a_thousand_are_listed_page_after_page(run):
    add(*(letter(number, f"t{number}") for number in range(1, 1001)))

    seen, before = [], []
    while True:
        page = data(run, "--limit", "400", *before)
        seen += [found["id"] for found in page["failed"]]
        if page["before"] is None:
            break
        before = ["--before", str(page["before"])]

    assert seen == list(range(1000, 0, -1))
    assert "1000 wait in all. For more: starai jobs failed --before 951" in run("jobs", "failed").stdout


def test_one_is_shown_with_whether_it_can_be_put_back(run):
    add(letter(1, "t1"), letter(2, headers='{"id": "\\u001b[31m"}'))

    assert "Can be put back  yes" in " ".join(run("jobs", "failed", "show", "1").stdout.replace("│", "").split("\n"))
    assert data(run, "show", "2")["stays"].startswith("Dead letter 2 is no task")
    assert "\x1b" not in run("jobs", "failed", "show", "2").stdout
    missing = run("jobs", "failed", "show", "3")
    assert (missing.exit_code, "starai jobs failed" in missing.stderr) == (1, True)


def test_one_is_put_back_where_it_came_from_as_the_platforms(run, queue):
    add(letter(1, "t1"), ended("t1"), TaskInput(submitter="ann", task="t1", body=b"[]"))

    result = run("jobs", "failed", "retry", "1")

    assert (result.exit_code, result.stdout) == (0, "1 put back.\n")
    ((_, properties, body),) = queue()
    assert (properties.user_id, properties.reply_to, properties.headers["id"]) == ("platform", "reply.ann-1a", "t1")
    assert b"abc" in body
    (task,) = rows(Task)
    assert (task.state, task.ended_at) == (TaskState.QUEUED, None)
    assert [(row.action, row.reason) for row in rows(TaskAction)] == [
        ("retried", "an operator put it back from the dead letters")
    ]
    assert data(run)["failed"] == []
    assert data(run, "--all")["failed"][0]["retried_at"]


def test_a_task_that_the_ledger_has_forgotten_is_known_again(run, queue):
    add(letter(1, "t1"))

    assert run("jobs", "failed", "retry", "1").exit_code == 0

    (task,) = rows(Task)
    assert (task.submitter, task.id, task.model, task.items) == ("ann", "t1", "qwen2-5-0-5b", 1)
    assert len(rows(TaskInput)) == len(queue()) == 1


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (letter(1), "is no task whose submitter"),
        (letter(1, "t1", body=b"junk"), "the body is not a task's"),
        (letter(1, "t1", headers='{"id":"t1","task":"os.system"}'), "the only task here"),
        (letter(1, "t1", submitter="eve"), "is no task whose submitter"),
        (letter(1, "t1", key="results"), "No task queue has the routing key 'results'"),
        (letter(1, "t1", retried_at=NOW), "was put back before"),
    ],
    ids=["no id", "no body", "another task", "another's reply queue", "another key", "put back"],
)
def test_what_is_no_task_stays_and_says_why(run, queue, row, why):
    add(row.model_copy())

    result = run("jobs", "failed", "retry", "1")

    assert result.exit_code == 1
    assert why in result.stderr
    assert queue() == rows(Task) == []
    assert len(rows(DeadLetter)) == 1


def test_a_task_that_ended_well_meanwhile_is_not_done_again(run, queue):
    add(letter(1, "t1"), ended("t1", TaskState.SUCCEEDED))

    result = run("jobs", "failed", "retry", "1")

    assert (result.exit_code, queue()) == (1, [])
    assert "is succeeded" in result.stderr
    assert rows(TaskInput) == []
    assert rows(DeadLetter)[0].retried_at is None


def test_all_are_put_back_but_what_stays(run, queue):
    add(*(letter(number, f"t{number}") for number in range(1, 31)), letter(31))

    assert run("jobs", "failed", "retry", "--all", input="n\n").exit_code == 1
    assert queue() == []
    found = json.loads(run("jobs", "failed", "retry", "--all", "--yes", "--json").stdout)

    assert found["put_back"] == list(range(1, 31))
    assert [stays["number"] for stays in found["stay"]] == [31]
    assert {properties.headers["id"] for _, properties, _ in queue()} == {f"t{number}" for number in range(1, 31)}


def test_either_one_or_all(run):
    for arguments in ([], ["1", "--all"]):
        assert run("jobs", "failed", "retry", *arguments).exit_code == 2
