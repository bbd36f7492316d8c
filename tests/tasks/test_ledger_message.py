"""What the recorder makes of messages, of which strangers wrote every byte."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config import names
from broker_config.regions import Region
from models.entry import Kind
from registry.ledger_entries import DeadLettered, Marked, Reported, Submitted
from starai.generation import FinishReason, Generated
from starai.report import report_publication
from starai.submission import publication, submission
from starai.tensor import pack
from starai.wire import Failure, Reason, Report, State, Tensor
from tasks.ledger_message import Delivery, LedgerJunk, read_delivery
from tasks.mark import mark_publication
from tasks.targets import Targets

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TARGETS = Targets()
REPLY = "reply.ada-1"
REPORT = Report(task="t", state=State.SUCCEEDED, at=3.0, run="r", started=1.0, device="device-1")
OUTPUT = Tensor(dtype="<f4", shape=[1], data="AAAAAA==")
TEXT = Generated(
    text="a", finish_reason=FinishReason.STOP, prompt_tokens=5, tokens=7, first_token_seconds=0.1, seconds=0.2
)


def delivery(message: Any, queue: str = names.LEDGER, **changes: Any) -> Delivery:
    made = Delivery(1, queue, message.exchange, message.key, message.properties, message.body, len(message.body), NOW)
    return replace(made, **changes)


def submitted(inputs: Any = "text", target: str = "tiny", **changes: Any) -> Delivery:
    return delivery(publication(submission(target, inputs, Region.ASIA, 60, 30.0), "ada", REPLY), **changes)


def reported(user: str = "device-1", **changes: Any) -> Delivery:
    fields = {"output": OUTPUT} | changes
    report = REPORT.model_copy(update=fields)
    return delivery(report_publication(report, REPLY, user))


def read(one: Delivery):
    return read_delivery(one, TARGETS)


def junk(one: Delivery) -> str:
    with pytest.raises(LedgerJunk) as caught:
        read(one)
    return str(caught.value)


def test_a_submission_is_read():
    entry = read(submitted(["one", "two"]))
    assert isinstance(entry, Submitted)
    assert (entry.submitter, entry.region, entry.target, entry.model) == ("ada", "asia", "tiny", "all-minilm-l6-v2")
    assert (entry.reply_to, entry.lease, entry.items, entry.at) == (REPLY, 30.0, 2, NOW)
    assert entry.expires_at
    assert entry.expires_at.tzinfo is UTC


@pytest.mark.parametrize("inputs", [[{"role": "user", "content": "a"}] * 3, {"a": np.ones(3), "b": np.ones(3)}])
def test_a_conversation_or_arrays_are_one_item(inputs):
    assert read(submitted(inputs)).items == 1


def test_a_report_is_read_without_its_result_being_unpacked():
    one = reported()
    entry = read(one)
    assert isinstance(entry, Reported)
    assert (entry.submitter, entry.task, entry.reply_to, entry.state) == ("ada", "t", REPLY, State.SUCCEEDED)
    assert (entry.device, entry.run, entry.claimed) == ("device-1", "r", 2.0)
    assert (entry.body, entry.size) == (one.body, len(one.body))


@pytest.mark.parametrize(
    "output",
    [
        None,
        Tensor(dtype="<i8", shape=[1], data="AAAAAAAAAAA="),
        Tensor(dtype="<f4", shape=[2], data="AAAAAA=="),
        Tensor(dtype="<f4", shape=[1], data="AAAA!A=="),
        {"good": OUTPUT, "broken": Tensor(dtype="<f4", shape=[2], data="AAAAAA==")},
    ],
)
def test_a_result_that_is_none_is_a_failure_of_its_device(output):
    entry = read(reported(output=output))

    assert (entry.state, entry.reason, entry.body) == (State.FAILED, "device", b"")
    assert (entry.kind, entry.shape, entry.tokens) == (None, None, 0)
    assert "broken result" in entry.message


def test_a_result_has_its_shape():
    assert read(reported()).shape == (1,)


@pytest.mark.parametrize(
    ("output", "kind", "shape", "tokens"),
    [
        (pack(np.ones((2, 3), np.float32)), Kind.EMBED, (2, 3), 0),
        (TEXT, Kind.GENERATE, None, 7),
        ({"a": OUTPUT, "b": pack(np.ones(2, np.int64))}, Kind.TENSORS, None, 0),
    ],
    ids=["vectors", "text", "arrays"],
)
def test_a_result_says_which_kind_of_model_makes_such_and_how_many_tokens_it_has(output, kind, shape, tokens):
    one = reported(output=output)
    entry = read(one)
    assert (entry.state, entry.kind, entry.shape, entry.tokens) == (State.SUCCEEDED, kind, shape, tokens)
    assert (entry.body, entry.message) == (one.body, None)


def test_a_sign_of_life_is_read_and_a_piece_is_junk():
    entry = read(reported(state=State.PROGRESS, output=None))
    assert (entry.state, entry.device, entry.run, entry.body) == (State.PROGRESS, "device-1", "r", b"")
    piece = reported(state=State.PIECE, output=None, offset=0, text="a")
    for key in (piece.key, f"{REPLY}.progress", f"{REPLY}.succeeded"):
        assert "routing key" in junk(replace(piece, key=key))


def test_a_failure_says_why_in_words_that_can_be_kept():
    failure = Failure(reason=Reason.DEVICE, message="no\0memory" + "y" * 900)
    entry = read(reported(state=State.FAILED, output=None, failure=failure))
    assert (entry.reason, entry.message, entry.body) == ("device", "nomemory" + "y" * 492, b"")


def test_the_platform_reports_as_no_device():
    entry = read(reported(names.PLATFORM, state=State.REQUEUED, device=None, run=None, output=None, note="put back"))
    assert (entry.device, entry.run, entry.message) == (None, None, "put back")


def test_a_mark_is_read():
    assert read(delivery(mark_publication("m1", names.PLATFORM))) == Marked("m1", NOW)


@pytest.mark.parametrize("changes", [{"user_id": "ada"}, {"type": None}, {"message_id": "\0"}, {"message_id": None}])
def test_only_the_platform_puts_marks(changes):
    message = mark_publication("m1", names.PLATFORM)
    for name, value in changes.items():
        setattr(message.properties, name, value)
    assert "marks" in junk(delivery(message))


@pytest.mark.parametrize(
    "changes",
    [{"user_id": None}, {"user_id": "bob"}, {"reply_to": "reply.bob-1"}, {"reply_to": None}, {"headers": None}]
    + [{"headers": {"id": wrong}} for wrong in (7, "", "x" * 65, "\0", ["t"])],
)
def test_a_submission_that_could_not_be_answered_is_junk(changes):
    one = submitted()
    for name, value in changes.items():
        setattr(one.properties, name, value)
    assert "reply address" in junk(one)


@pytest.mark.parametrize("expires", [7, "soon", "2026-05-01", "9999-12-31T23:59:59-23:59", "2026-05-01T00:00:00", None])
def test_a_deadline_that_cannot_be_read_is_none(expires):
    one = submitted()
    one.properties.headers["expires"] = expires
    assert read(one).expires_at is None


@pytest.mark.parametrize("limit", [7, [], [1, 2, 3], ["x", None], [-1, None], [float("nan"), None], [10**400, None]])
def test_a_lease_that_cannot_be_one_is_none(limit):
    one = submitted()
    one.properties.headers["timelimit"] = limit
    assert read(one).lease is None


def test_a_key_that_names_nothing_is_a_task_of_no_queue():
    entry = read(submitted(key="atlantis.\0\N{SNOWMAN}.x"))
    assert (entry.region, entry.target, entry.model) == (None, None, None)


@pytest.mark.parametrize("body", [b"junk", b"[[], {}, {}]", b"[" * 100_000, b'[[], {"inputs": 7}, null]'])
def test_a_body_that_cannot_be_read_has_no_texts(body):
    assert read(submitted(body=body)).items == 0


def test_what_is_too_large_is_junk_unread():
    assert "100,000,000 bytes" in junk(submitted(body=b"", size=100_000_000))
    assert "no body" in junk(submitted(body=b"", size=0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user": "device-2"}, "not of who it says"),
        ({"user": names.PLATFORM}, "not of who it says"),
        ({"task": "\0"}, "an id"),
        ({"run": "\0"}, "an id"),
        ({"user": "no\0device", "device": "no\0device"}, "no device"),
    ],
)
def test_a_report_that_cannot_be_true_is_junk(changes, reason):
    assert reason in junk(reported(**changes))


def test_a_report_under_another_states_key_is_junk():
    assert "routing key" in junk(replace(reported(), key=f"{REPLY}.failed"))


def test_a_report_to_no_reply_queue_is_junk():
    assert "reply queue" in junk(replace(reported(), key="somewhere.succeeded"))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"task": 7}', b"[" * 100_000, b"null"])
def test_a_report_of_another_type_is_junk(body):
    assert "cannot be read" in junk(replace(reported(), body=body, size=len(body)))


@pytest.mark.parametrize("times", [b'"at":NaN,"started":1.0', b'"at":1e308,"started":-1e308', b'"at":3.0'])
def test_times_that_are_none_claim_nothing(times):
    body = reported().body.replace(b'"at":3.0,"run":"r","started":1.0', times + b',"run":"r"')
    assert times in body
    assert read(replace(reported(), body=body)).claimed is None


DEATHS = [
    {"queue": "inference.asia.tiny.m", "reason": "delivery_limit", "count": 2, "exchange": "inference"},
    {"queue": "other", "reason": "rejected", "count": 3},
]


def dead(headers: Any = None, **changes: Any) -> Delivery:
    one = submitted(queue=names.FAILED, exchange=names.FAILED, **changes)
    one.properties.headers = {"id": "t", "x-death": DEATHS} if headers is None else headers
    return one


def test_a_dead_letter_says_which_queue_gave_it_up_and_why():
    entry = read(dead())
    assert isinstance(entry, DeadLettered)
    assert (entry.queue, entry.reason, entry.deaths) == ("inference.asia.tiny.m", "delivery_limit", 5)
    assert (entry.submitter, entry.task, entry.reply_to, entry.key) == ("ada", "t", REPLY, "asia.tiny")
    assert json.loads(entry.headers)["x-death"] == DEATHS


GARBAGE: list[Any] = [7, "x", None, {}, [7], [{}], [{"count": "x"}], [{"queue": 7, "count": -1}], [{"count": True}]]


@pytest.mark.parametrize("death", GARBAGE)
def test_a_dead_letter_that_does_not_say_so_is_kept_all_the_same(death):
    entry = read(dead({"x-death": death, "id": 7}))
    assert (entry.queue, entry.reason, entry.deaths, entry.task) == ("", "unknown", 0, None)


def test_a_dead_letter_of_nobody_is_kept_as_nobodys():
    one = dead()
    one.properties.user_id, one.properties.reply_to = None, "reply.bob-1"
    entry = read(one)
    assert (entry.submitter, entry.reply_to) == (None, None)


def test_a_task_that_the_platform_sent_again_is_its_submitters():
    one = dead()
    one.properties.user_id = names.PLATFORM
    assert read(one).submitter == "ada"


def test_a_dead_letter_is_the_same_however_often_it_is_delivered():
    one, again, other = dead(), dead(), dead(body=b"other")
    again.properties.headers["x-delivery-count"] = 3
    for each in (again, other):
        each.properties.headers["id"] = one.properties.headers["id"]
    assert read(one).digest == read(again).digest != read(other).digest


@given(
    st.sampled_from([names.SUBMISSIONS, names.RESULTS, "", "other"]),
    st.sampled_from([names.LEDGER, names.FAILED]),
    st.text(max_size=255),
    st.dictionaries(st.text(max_size=9), st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=4),
    st.binary(max_size=99),
    st.none() | st.text(max_size=20),
)
def test_whatever_a_stranger_sends_is_read_or_refused(exchange, queue, key, headers, body, user):
    properties = pika.BasicProperties(headers=headers, user_id=user, reply_to=key)
    one = Delivery(1, queue, exchange, key, properties, body, len(body), NOW)
    try:
        entry = read(one)
    except LedgerJunk:
        return
    if isinstance(entry, DeadLettered):
        assert "\0" not in entry.key + entry.queue + entry.reason + entry.headers
