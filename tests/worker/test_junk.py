"""What strangers may put into a task queue, and a device that works on."""

import json

import pika
import pytest

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from starai.wire import Report

HOME = names.task_queue(Region.ASIA, Tier.TINY, "all-minilm-l6-v2")
GOOD = json.dumps([[], {"inputs": "hello"}, {}]).encode()
HEADERS = {"task": names.INFERENCE_TASK, "id": "1"}


def body(arguments):
    return json.dumps([[], arguments, {}]).encode()


def properties(**changes):
    return {"content_type": "application/json", "headers": HEADERS, **changes}


JUNK = {
    "nothing": (b"", properties()),
    "not JSON": (b"\x80\x04K\x01.", properties(content_type="application/x-python-serialize")),
    "not UTF-8": (b'[[], {"inputs": "\xff"}, {}]', properties()),
    "deep JSON": (b"[" * 100_000, properties()),
    "another task": (GOOD, properties(headers={**HEADERS, "task": "celery.backend_cleanup"})),
    "no headers": (GOOD, properties(headers=None)),
    "an id that is none": (GOOD, properties(headers={**HEADERS, "id": "x\n" * 9})),
    "wrong arguments": (body({"inputs": 7}), properties()),
    "a long wrong argument": (body({"inputs": "x", "y" * 100_000: 1}), properties()),
    "too many texts": (body({"inputs": ["x"] * 4097}), properties()),
    "a huge body": (body({"inputs": "x" * 9_000_000}), properties()),
    "an expiry that is no time": (GOOD, properties(headers={**HEADERS, "expires": "soon"})),
    "text that is not UTF-8": (GOOD, properties(correlation_id=b"\xff\xfe")),
}


@pytest.fixture
def stranger(broker):
    """A submitter with a reply queue of its own, and a channel to send what it likes."""
    url, reply_to = broker.submitter("stranger"), names.new_reply_queue("stranger")
    with broker.channel(url) as channel:
        channel.queue_declare(reply_to, durable=True)
        channel.queue_bind(reply_to, names.RESULTS, f"{reply_to}.*")

        def send(content, **changes):
            filled = {"user_id": "stranger", "reply_to": reply_to, **changes}
            channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", content, pika.BasicProperties(**filled))

        send.reply_to, send.channel = reply_to, channel
        yield send


def reports(stranger):
    found = []
    while (message := stranger.channel.basic_get(stranger.reply_to, auto_ack=True))[2]:
        found.append(Report.model_validate_json(message[2]))
    return found


def test_junk_of_every_kind_becomes_a_dead_letter_and_the_device_works_on(broker, start, ask, stranger, until):
    device = start(broker)

    for content, changes in JUNK.values():
        stranger(content, **changes)

    until(lambda: broker.depth(names.FAILED) == len(JUNK))
    assert ask("hello").result(10).shape == (1,)
    assert device.process.poll() is None
    assert device.times_consuming == 1


def test_the_sender_of_junk_is_told_where_it_said_who_it_is(broker, start, stranger, until):
    start(broker)

    stranger(body({"inputs": "x", "y" * 100_000: 1}), **properties())

    told = []
    until(lambda: told.extend(reports(stranger)) or told)
    assert [(report.task, report.state, report.failure.reason) for report in told] == [("1", "failed", "bad-input")]
    assert len(told[0].failure.message) < 1000


def test_who_does_not_say_truly_who_it_is_gets_no_work_done_and_no_answer(broker, start, stranger, until):
    device = start(broker)

    for changes in ({"user_id": None}, {"reply_to": "reply.victim-1"}, {"reply_to": None}):
        stranger(GOOD, **properties(**changes))

    until(lambda: broker.depth(names.FAILED) == 3)
    assert "task.ended" not in device.log
    assert reports(stranger) == []


def test_a_content_encoding_is_not_believed(broker, start, stranger, until):
    start(broker)

    for encoding in ("gzip", "utf-16", "no-such-encoding"):
        stranger(GOOD, **properties(content_encoding=encoding))

    told = []
    until(lambda: told.extend(reports(stranger)) or len(told) == 3)
    assert {report.state for report in told} == {"succeeded"}
