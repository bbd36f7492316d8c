"""What the platform answers to tasks that no queue took, at a real broker."""

import struct
from collections.abc import Callable, Iterator

import pika
import pytest

from broker_config import names
from broker_config.regions import Region
from starai.client import Client
from starai.errors import UnknownModel
from starai.submission import publication, submission
from tasks.platform import Platform


@pytest.fixture
def platform(broker, monkeypatch) -> Iterator[Platform]:
    monkeypatch.setenv("STARAI_BROKER_URL", broker.url())
    platform = Platform()
    platform.open()
    yield platform
    platform.close()


@pytest.fixture
def send(broker) -> Iterator[Callable[..., None]]:
    """Return a function that sends a stranger's message for a model that nobody hosts."""
    url = broker.submitter("stranger")
    with broker.channel(url) as channel:

        def send(**changes: object) -> None:
            message = publication(submission("llama3-70b", "text", Region.ASIA, 60), "stranger", "reply.stranger-1")
            for name, value in changes.items():
                setattr(message.properties, name, value)
            channel.basic_publish(message.exchange, message.key, message.body, message.properties)

        yield send


def test_the_submitter_of_a_task_that_nobody_can_do_hears_so(broker, platform):
    with Client(broker.submitter(), region="asia") as client:
        job = client.submit("llama3-70b", ["text"])

        with pytest.raises(UnknownModel, match="Hosted now: none yet"):
            job.result(10)


def test_junk_is_dropped_and_the_next_task_is_answered(broker, platform, send, until, monkeypatch):
    send(user_id=None)
    send(reply_to="reply.another-1")
    send(headers={"id": "x\n"})
    send(correlation_id=b"\xff\xfe")
    monkeypatch.setattr(pika.data, "encode_value", time_beyond_the_calendar(pika.data.encode_value))
    send(headers={"at": Moment()})

    until(lambda: broker.depth(names.UNPLACED) == 0)
    test_the_submitter_of_a_task_that_nobody_can_do_hears_so(broker, platform)


class Moment:
    """A time that no calendar has."""


def time_beyond_the_calendar(encode):
    def encode_value(pieces, value):
        if not isinstance(value, Moment):
            return encode(pieces, value)
        pieces.append(struct.pack(">cQ", b"T", 2**64 - 1))
        return 9

    return encode_value
