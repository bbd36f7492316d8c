"""A submission, before it is sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_config import names
from broker_config.regions import Region
from starai.errors import BadInput, InvalidName
from starai.submission import LONGEST_DEADLINE, check_inputs, publication, submission
from starai.wire import MAX_BODY, MAX_TEXTS

MODEL = "phi3-3.8b"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def submit(inputs, deadline=600.0, model=MODEL):
    return submission(model, inputs, Region.ASIA, deadline)


@given(TEXTS | st.lists(TEXTS, min_size=1, max_size=5))
def test_the_body_is_celerys_json_with_the_inputs_as_they_were(inputs):
    task = submit(inputs)
    arguments, keywords, embedded = json.loads(task.body)

    assert (arguments, keywords) == ([], {"inputs": inputs})
    assert embedded == dict.fromkeys(["callbacks", "errbacks", "chain", "chord"])
    assert task.rows == (() if isinstance(inputs, str) else (len(inputs),))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([], "empty"),
        (5, "not int"),
        (None, "not NoneType"),
        (b"bytes", "not bytes"),
        (bytearray(b"bytes"), "not bytearray"),
        ({"a": 1}, "not dict"),
        (iter(["a"]), "not list_iterator"),
        (["a", 5], "Input 1 is int"),
        (["a", b"b"], "Input 1 is bytes"),
        (["a"] * 5000, "use map"),
        ("\ud800", "UTF-8"),
        (["a", "\udfff"], "UTF-8"),
        ("a" * MAX_BODY, "the most is 8,388,608"),
        (["a" * (MAX_BODY // MAX_TEXTS)] * MAX_TEXTS, "the most is 8,388,608"),
    ],
    ids=[
        "empty",
        "int",
        "none",
        "bytes",
        "bytearray",
        "dict",
        "iterator",
        "int in list",
        "bytes in list",
        "too many",
        "surrogate",
        "surrogate in list",
        "too large",
        "too large a list",
    ],
)
def test_what_no_device_could_do_is_refused(inputs, reason):
    with pytest.raises(BadInput, match=reason) as refused:
        submit(inputs)
    assert refused.value.task is None


@settings(max_examples=30)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.binary(), st.lists))
def test_inputs_are_texts_or_refused(inputs):
    try:
        texts = check_inputs(inputs)
    except BadInput:
        return
    assert texts == inputs
    assert all(isinstance(text, str) for text in ([texts] if isinstance(texts, str) else texts))


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), float("inf"), 1e12])
def test_a_deadline_that_cannot_be_is_refused(deadline):
    with pytest.raises(BadInput, match="deadline lies ahead"):
        submit("a", deadline)


@pytest.mark.parametrize("lease", [0, 0.5, -1, 3601, float("nan"), float("inf")])
def test_a_lease_that_cannot_be_is_refused(lease):
    with pytest.raises(BadInput, match="lease is from 1 to 3600 s"):
        submission(MODEL, "a", Region.ASIA, 600, lease)


def test_a_lease_is_celerys_hard_limit_where_one_was_asked_for():
    task = submission(MODEL, "a", Region.ASIA, 600, 90)

    assert publication(task, "ann", "reply.ann-1a").properties.headers["timelimit"] == [90, None]
    assert "timelimit" not in publication(submit("a"), "ann", "reply.ann-1a").properties.headers


@pytest.mark.parametrize("model", ["", "No such model", "a_b", "../x", "a" * 64])
def test_a_model_that_cannot_be_one_is_refused(model):
    with pytest.raises(InvalidName):
        submit("a", model=model)


@given(st.floats(1, LONGEST_DEADLINE))
def test_the_message_names_its_sender_its_reply_queue_and_when_it_expires(deadline):
    task = submit("a", deadline)
    sent = publication(task, "ann", "reply.ann-1a")
    expires = datetime.fromisoformat(sent.properties.headers["expires"])

    assert (sent.exchange, sent.key) == (names.SUBMISSIONS, "asia.phi3-3-8b")
    assert (sent.properties.user_id, sent.properties.reply_to) == ("ann", "reply.ann-1a")
    assert sent.properties.headers["id"] == sent.properties.headers["root_id"] == task.task
    assert abs(expires - datetime.now(UTC) - timedelta(seconds=deadline)) < timedelta(seconds=5)


def test_every_task_has_an_id_of_its_own():
    assert submit("a").task != submit("a").task
