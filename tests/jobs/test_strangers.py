"""What strangers ask: junk is refused in words, and nobody hears of another's job."""

import json
import time
from collections.abc import Callable, Iterator

import pika
import pytest

from broker_config import names
from registry.database import session
from registry.task_state import Action
from registry.task_tables import Task, TaskAction
from tests.jobs.hand_device import MODEL

JUNK = [b"", b"\xff", b"null", b"[]", b"{}", b"[" * 100_000, b'{"task":"a b"}', b'{"task":"t","more":1}', b'{"task":7}']


@pytest.fixture
def ask(broker) -> Iterator[Callable[..., dict[str, object]]]:
    """Return a function that asks as a stranger would, and returns the answer."""
    with broker.channel(broker.submitter("ann")) as channel:
        heard: list[bytes] = []
        channel.basic_consume("amq.rabbitmq.reply-to", lambda *got: heard.append(got[3]), auto_ack=True)

        def ask(verb: str, body: bytes, user: str | None = "ann") -> dict[str, object]:
            properties = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", user_id=user)
            channel.basic_publish(names.REQUESTS, f"job.{verb}", body, properties)
            deadline = time.monotonic() + 10
            while not heard and time.monotonic() < deadline:
                channel.connection.process_data_events(0.05)
            return json.loads(heard.pop())

        yield ask


@pytest.mark.parametrize("verb", ["status", "result", "list", "cancel", "retry", "withdraw"])
def test_junk_is_refused_in_words_and_the_next_request_answered(engine, ask, verb):
    for junk in JUNK:
        if verb != "list" or junk != b"{}":
            assert ask(verb, junk)["refusal"] == "malformed"
    too_large = b'{"task":"' + b"a" * 200_000 + b'"}'
    assert "the most is" in ask(verb, too_large)["message"]
    assert ask(verb, b'{"task":"t"}', user=None)["refusal"] == "malformed"

    assert ask("status", b'{"task":"t"}')["refusal"] == "unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        b'{"limit":1001}',
        b'{"limit":0}',
        b'{"states":["lost"]}',
        b'{"since":"2026-05-01T00:00:00"}',
        b'{"tasks":["a b"]}',
    ],
)
def test_a_list_is_bounded(engine, ask, wrong):
    assert ask("list", wrong)["refusal"] == "malformed"


def test_strange_times_and_cursors_are_refused(engine, ask):
    assert ask("list", b'{"cursor":"yesterday/t1"}')["refusal"] == "not-possible"
    assert ask("list", b'{"since":"0001-01-01T00:00:00+23:59"}')["refusal"] == "unavailable"
    assert ask("list", b"{}")["jobs"] == []


def test_a_cancelled_task_is_reported_to_its_own_submitter_alone(broker, engine, ask, connect):
    bob = connect("bob")
    job = bob.submit(MODEL, ["a"])
    theirs = bob._replies.queue

    ask("cancel", json.dumps({"task": job.id, "reply_to": theirs, "target": MODEL}).encode())

    assert not job.done
    with session(engine) as registry:
        assert registry.get(Task, ("bob", job.id)) is None
        assert [row.action for row in registry.query(TaskAction)] == [Action.CANCELLED]
