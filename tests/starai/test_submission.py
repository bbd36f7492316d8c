"""A submission, before it is sent."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_config import names
from broker_config.regions import Region
from starai.errors import BadInput, InvalidName
from starai.generation import Generated, Options
from starai.inputs import check_inputs
from starai.submission import LONGEST_DEADLINE, publication, submission
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
    assert task.expected.rows == (() if isinstance(inputs, str) else (len(inputs),))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([], "empty"),
        (5, "not int"),
        (None, "not NoneType"),
        (b"bytes", "not bytes"),
        (bytearray(b"bytes"), "not bytearray"),
        ({"a": 1}, "is int, not a numpy array"),
        (iter(["a"]), "not list_iterator"),
        (["a", 5], "Input 1 is int"),
        (["a", b"b"], "Input 1 is bytes"),
        (["a"] * 5000, "use map"),
        ("\ud800", "UTF-8"),
        (["a", "\udfff"], "UTF-8"),
        ("a" * MAX_BODY, "the most is 8,388,608"),
        (["a" * (MAX_BODY // MAX_TEXTS)] * MAX_TEXTS, "the most is 8,388,608"),
        ([{"role": "user", "content": "\ud800"}], "UTF-8"),
        ({"\ud800": np.zeros(1)}, "UTF-8"),
        ({"a": np.zeros(MAX_BODY, np.uint8)}, "the most is 8,388,608"),
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
        "surrogate in message",
        "surrogate in name",
        "too large an array",
    ],
)
def test_what_no_device_could_do_is_refused(inputs, reason):
    with pytest.raises(BadInput, match=reason) as refused:
        submit(inputs)
    assert refused.value.task is None


CONVERSATION = [{"role": "user", "content": "Why is the sky blue?"}]


@pytest.mark.parametrize("prompt", ["Why", CONVERSATION], ids=["text", "conversation"])
def test_a_prompt_goes_with_its_options_and_whether_its_pieces_are_wanted(prompt):
    options = Options(max_tokens=7, stop=["."])
    task = submission(MODEL, prompt, Region.ASIA, 600, options=options, stream=True)

    assert json.loads(task.body)[1] == {
        "inputs": prompt,
        "options": {"max_tokens": 7, "stop": ["."]},
        "stream": True,
    }
    assert task.expected.kinds == (Generated,)


def test_options_that_are_the_usual_ones_say_all_the_same_that_a_text_is_wanted():
    task = submission(MODEL, "Why", Region.ASIA, 600, options=Options())

    assert json.loads(task.body)[1] == {"inputs": "Why", "options": {}}
    assert task.expected.kinds == (Generated,)


@pytest.mark.parametrize("inputs", [["a", "b"], {"a": np.zeros(1)}], ids=["texts", "arrays"])
@pytest.mark.parametrize("more", [{"options": Options()}, {"stream": True}], ids=["options", "stream"])
def test_no_text_is_generated_from_several_texts_or_from_arrays(inputs, more):
    with pytest.raises(BadInput, match="from one prompt or one conversation: submit each as a task of its own"):
        submission(MODEL, inputs, Region.ASIA, 600, **more)


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

    headers = publication(task, "ann", "reply.ann-1a").properties.headers
    assert (headers["timelimit"], headers["lease"]) == ([90, None], "90")
    assert not {"timelimit", "lease"} & publication(submit("a"), "ann", "reply.ann-1a").properties.headers.keys()


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
