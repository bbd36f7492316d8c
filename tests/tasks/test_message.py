"""A task's message, read as a stranger's."""

import json
from datetime import UTC, datetime

import numpy as np
import pika
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_config import names
from broker_config.regions import Region
from starai.generation import ChatMessage, Options
from starai.submission import publication, submission
from starai.tensor import pack, unpack
from starai.wire import MAX_BODY, MAX_TEXTS
from tasks.message import JunkError, Task, items_in, read_task, sender_reply_queue

QUEUE = "inference.asia.tiny.all-minilm-l6-v2"
HEADERS = {"id": "t1", "task": names.INFERENCE_TASK}
PROPERTIES = {"user_id": "ann", "reply_to": "reply.ann-1a"}
BODY = b'[[],{"inputs":"a"},{}]'
SAID = ChatMessage(role="user", content="Why is the sky blue?")
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes()


def read(headers=None, properties=None, body=BODY, redelivered=False) -> Task:
    return read_task(HEADERS | (headers or {}), PROPERTIES | (properties or {}), body, redelivered=redelivered)


def test_what_the_library_sends_is_read_back():
    sent = publication(submission("phi3-3.8b", ["a", "b"], Region.ASIA, 60), "ann", "reply.ann-1a")
    properties = {"user_id": sent.properties.user_id, "reply_to": sent.properties.reply_to}

    task = read_task(sent.properties.headers, properties, sent.body, redelivered=False)

    assert (task.id, task.reply_to, task.inputs) == (sent.properties.headers["id"], "reply.ann-1a", ["a", "b"])
    assert task.expires == pytest.approx(datetime.now(UTC).timestamp() + 60, abs=5)
    assert task.returns == 0


@pytest.mark.parametrize("prompt", ["Why", [SAID]], ids=["text", "conversation"])
def test_a_prompt_is_read_back_with_its_options_and_whether_its_pieces_are_wanted(prompt):
    options = Options(max_tokens=7, temperature=0.5, stop=["."])
    sent = submission("phi3-3.8b", prompt, Region.ASIA, 60, options=options, stream=True)

    task = read(body=sent.body)

    assert (task.inputs, task.options, task.stream) == (prompt, options, True)


def test_named_arrays_are_read_back():
    sent = submission("phi3-3.8b", {"a": np.arange(3)}, Region.ASIA, 60)

    assert unpack(read(body=sent.body).inputs["a"]).tolist() == [0, 1, 2]


def test_a_task_that_says_nothing_of_options_or_pieces_has_none():
    assert (read().options, read().stream) == (None, False)
    assert read(body=b'[[],{"inputs":"a","options":{}},{}]').options == Options()


@pytest.mark.parametrize(
    ("inputs", "items"),
    [
        ("a", 1),
        ("", 1),
        ([], 0),
        (["a"], 1),
        (["a", "b"], 2),
        ([SAID, SAID, SAID], 1),
        (dict.fromkeys("abc", pack(np.ones(9))), 1),
    ],
    ids=range(7),
)
def test_each_of_several_texts_is_an_item_and_all_else_is_one_together(inputs, items):
    assert items_in(inputs) == items


@given(st.binary(max_size=200))
def test_any_bytes_are_a_task_or_junk(body):
    known = None
    try:
        read(body=body)
    except JunkError as junk:
        known = (junk.task, junk.reply_to)
    assert known in (None, ("t1", "reply.ann-1a"))


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("inputs"), inner),
    )
)
def test_any_json_is_a_task_or_junk(value):
    for body in (value, [[], value, {}], [[], {"inputs": value}, {}]):
        try:
            task = read(body=json.dumps(body).encode())
        except JunkError:
            continue
        assert isinstance(task.inputs, (str, list))


@given(
    st.dictionaries(st.sampled_from(["id", "task", "expires", "x-delivery-count"]) | st.text(), VALUES), VALUES, VALUES
)
def test_any_headers_and_properties_are_a_task_or_junk(headers, user, reply_to):
    for properties in ({"user_id": user, "reply_to": reply_to}, PROPERTIES):
        for redelivered in (False, True):
            try:
                task = read_task(HEADERS | headers, properties, BODY, redelivered=redelivered)
            except JunkError:
                continue
            assert task.id.isascii()
            assert task.returns >= redelivered


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b"[]",
        b"[[],{}]",
        b"[[],{},{}]",
        b'[[],{"inputs":5},{}]',
        b'[[],{"inputs":["a",5]},{}]',
        b'[[],{"inputs":{}},{}]',
        b'[[],{"inputs":{"a":[1.5]}},{}]',
        b'[[],{"inputs":["a",{"role":"user","content":"b"}]},{}]',
        b'[[],{"inputs":[{"role":"boss","content":"b"}]},{}]',
        b'[[],{"inputs":"a","options":{"max_tokens":0}},{}]',
        b'[[],{"inputs":"a","options":[]},{}]',
        b'[[],{"inputs":"a","stream":[]},{}]',
        b'[[],{"inputs":"a","more":1},{}]',
        b'[[],{"inputs":"\\ud800"},{}]',
        b'[[],{"inputs":"\xff"},{}]',
        b"[" * 10000,
        json.dumps([[], {"inputs": ["a"] * (MAX_TEXTS + 1)}, {}]).encode(),
    ],
    ids=range(20),
)
def test_a_body_that_is_no_tasks_is_junk_of_a_known_sender(body):
    with pytest.raises(JunkError, match="the body is not a task's") as junk:
        read(body=body)
    assert (junk.value.task, junk.value.reply_to) == ("t1", "reply.ann-1a")


def test_a_body_that_is_too_large_is_not_even_read():
    with pytest.raises(JunkError, match="the most is"):
        read(body=b" " * (MAX_BODY + 1))


@pytest.mark.parametrize("task", [None, 5, "", "t" * 65, "a\nb", "\ud800", b"t1"])
def test_a_message_without_an_id_has_nobody_to_answer(task):
    with pytest.raises(JunkError, match="no task id") as junk:
        read({"id": task})
    assert (junk.value.task, junk.value.reply_to) == (None, None)


@pytest.mark.parametrize("task", [None, "celery.backend_cleanup", "os.system", 5])
def test_any_other_celery_task_is_junk(task):
    with pytest.raises(JunkError, match=r"the only task here is starai\.inference"):
        read({"task": task})


@pytest.mark.parametrize(
    "properties",
    [
        {"user_id": None},
        {"user_id": "bob"},
        {"reply_to": None},
        {"reply_to": "reply.bob-1a"},
        {"reply_to": "ledger"},
        {"reply_to": "amq.rabbitmq.reply-to"},
        {"user_id": 5},
        {"reply_to": b"reply.ann-1a"},
    ],
)
def test_an_answer_goes_only_to_the_senders_own_queue(properties):
    assert sender_reply_queue(PROPERTIES | properties) is None
    with pytest.raises(JunkError, match="not that user's own") as junk:
        read(properties=properties)
    assert junk.value.reply_to is None


def test_a_senders_own_reply_queue_is_known():
    assert sender_reply_queue(PROPERTIES) == "reply.ann-1a"


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_time_of_expiry_is_read_as_unix_time(moment):
    assert read({"expires": moment.isoformat()}).expires == moment.timestamp()


@pytest.mark.parametrize(("limits", "lease"), [([30, None], 30.0), ((1.5, 5), 1.5), ([None, None], None), (None, None)])
def test_a_task_may_say_how_long_it_may_run_on_one_device(limits, lease):
    assert read({"timelimit": limits}).lease == lease


@pytest.mark.parametrize(
    "limits",
    [30, [], [30], [30, None, 1], ["30", None], [True, None], [0.5, None], [3601, None], [float("nan"), None], "30"],
)
def test_a_lease_that_is_none_is_junk(limits):
    with pytest.raises(JunkError, match=r"timelimit|a lease is from 1 to 3600 s"):
        read({"timelimit": limits})


def test_the_library_and_the_device_agree_on_a_lease():
    sent = publication(submission("phi3-3.8b", "a", Region.ASIA, 60, lease=90), "ann", "reply.ann-1a")

    assert read(sent.properties.headers).lease == 90


@pytest.mark.parametrize(
    ("headers", "lease"),
    [({"timelimit": [30, None], "lease": "90"}, 30), ({"lease": "90"}, None), ({"lease": "a while"}, None)],
)
def test_where_a_header_that_is_for_phones_says_something_else_the_limit_of_celery_counts(headers, lease):
    assert read(headers).lease == lease


def test_a_task_that_the_platform_sends_again_is_answered_to_its_submitter():
    task = read(properties={"user_id": names.PLATFORM})

    assert (task.reply_to, task.submitter) == ("reply.ann-1a", "ann")
    assert (task.came_back, task.republished, task.returns) == (True, True, 0)


@pytest.mark.parametrize("reply_to", ["ledger", "reply.-1a", "reply.ann", "amq.rabbitmq.reply-to", None])
def test_even_the_platform_must_name_a_reply_queue(reply_to):
    with pytest.raises(JunkError):
        read(properties={"user_id": names.PLATFORM, "reply_to": reply_to})


def test_a_task_that_was_handed_out_before_came_back():
    assert not read().came_back
    assert read(redelivered=True).came_back
    assert read({"x-acquired-count": 1}, redelivered=True).came_back  # though it is no return that counts


def test_a_task_may_have_no_time_of_expiry():
    assert read({"expires": None}).expires is None


@pytest.mark.parametrize("expires", ["", "soon", "2026-01-01T00:00:00", 5, {}, "2026-13-01T00:00:00+00:00"])
def test_a_time_of_expiry_that_is_none_is_junk(expires):
    with pytest.raises(JunkError, match="expires"):
        read({"expires": expires})


@pytest.mark.parametrize(
    ("count", "redelivered", "returns"),
    [(None, False, 0), (None, True, 1), (3, True, 3), (0, True, 1), (-9, True, 1), ("3", True, 1), (50, False, 0)],
)
def test_returns_are_counted_by_the_broker_not_by_who_submitted(count, redelivered, returns):
    assert read({"x-delivery-count": count}, redelivered=redelivered).returns == returns


def test_a_surplus_that_was_handed_back_is_no_return_where_the_broker_tells_it_apart():
    assert read({"x-acquired-count": 2}, redelivered=True).returns == 0
    assert read({"x-acquired-count": 2, "x-delivery-count": 1}, redelivered=True).returns == 1


def test_what_a_submitter_wrote_of_its_tasks_returns_does_not_outlive_the_first_return(broker):
    properties = pika.BasicProperties(
        headers=HEADERS | {"x-delivery-count": -100}, user_id="platform", reply_to="reply.platform-1a"
    )
    returns = []
    with broker.channel() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", BODY, properties)
    for _ in range(3):
        with broker.channel() as channel:  # closing it returns what it holds
            method, got, body = channel.basic_get(QUEUE)
            sender = {"user_id": got.user_id, "reply_to": got.reply_to}
            returns.append(read_task(got.headers, sender, body, redelivered=method.redelivered).returns)

    # A classic queue knows only whether a message came back.
    assert returns in ([0, 1, 2], [0, 1, 1])
