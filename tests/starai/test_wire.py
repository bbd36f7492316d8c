"""Tasks and reports as JSON: what is asked and what answers, of every kind."""

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import TypeAdapter, ValidationError

from starai.generation import MOST_TOKENS, ChatMessage, FinishReason, Generated, Guidance, GuidanceKind, Options, Prompt
from starai.tensor import pack
from starai.wire import MAX_BODY, MAX_MESSAGES, MAX_TENSORS, MAX_TEXTS, Arguments, Output, Report, State, Tensor

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TENSORS = arrays.arrays(
    st.sampled_from(["<f4", "<f2", "<i8", "|u1", "|b1"]), arrays.array_shapes(min_dims=0, min_side=0, max_side=3)
).map(pack)
# Among them what the fields of the other kinds are called.
NAMES = st.sampled_from(["dtype", "shape", "data", "text", "tokens", "role", "content", ""]) | TEXTS
NAMED = st.dictionaries(NAMES, TENSORS, min_size=1, max_size=4)
MESSAGES = st.builds(ChatMessage, role=st.sampled_from(["system", "user", "assistant"]), content=TEXTS)
SECONDS = st.floats(0, 1e6)
GENERATED = st.builds(
    Generated,
    text=TEXTS,
    finish_reason=st.sampled_from(FinishReason),
    prompt_tokens=st.integers(0, 2**31 - 1),
    tokens=st.integers(0, MOST_TOKENS),
    first_token_seconds=SECONDS,
    seconds=SECONDS,
)
OPTIONS = st.builds(
    Options,
    max_tokens=st.integers(1, MOST_TOKENS),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1, exclude_min=True),
    top_k=st.none() | st.integers(1, 1000),
    seed=st.none() | st.integers(0, 2**31 - 1),
    stop=st.lists(TEXTS.filter(bool), max_size=3),
    guidance=st.none() | st.builds(Guidance, kind=st.sampled_from(GuidanceKind), text=TEXTS.filter(bool)),
)
VECTOR = pack(np.ones(2, np.float32))


@given(TEXTS | st.lists(TEXTS, max_size=4) | st.lists(MESSAGES, max_size=4) | NAMED, st.none() | OPTIONS, st.booleans())
def test_whatever_is_asked_comes_back_as_it_was(inputs, options, stream):
    asked = Arguments(inputs=inputs, options=options, stream=stream)

    back = Arguments.model_validate_json(asked.model_dump_json(exclude_defaults=True))

    assert back == asked
    assert back.inputs == inputs


@given(TENSORS | GENERATED | NAMED)
def test_whatever_answers_comes_back_as_it_was(output):
    report = Report(task="t1", state=State.SUCCEEDED, at=1.5, output=output)

    back = Report.model_validate_json(report.model_dump_json(exclude_none=True))

    assert (back, back.output) == (report, output)
    assert type(back.output) is type(output)


@given(st.integers(0, 2**40), TEXTS)
def test_a_piece_says_where_in_its_text_it_stands(offset, text):
    piece = Report(task="t1", state=State.PIECE, at=1.5, run="r1", offset=offset, text=text)

    assert Report.model_validate_json(piece.model_dump_json(exclude_none=True)) == piece


SAID = {"role": "user", "content": "a"}
ARRAY = VECTOR.model_dump()


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        None,
        5,
        [["a"]],
        ["a", SAID],
        [SAID, "a"],
        [SAID | {"more": 1}],
        {"a": 1},
        {"a": [1.5]},
        ARRAY,
        {"a": ARRAY | {"dtype": ">f4"}},
        {"a": ARRAY | {"shape": [-1]}},
        {"a": ARRAY | {"shape": [1] * 9}},
        dict.fromkeys(map(str, range(MAX_TENSORS + 1)), ARRAY),
        ["a"] * (MAX_TEXTS + 1),
        [SAID] * (MAX_MESSAGES + 1),
    ],
    ids=range(16),
)
def test_anything_else_is_nothing_to_ask(inputs):
    with pytest.raises(ValidationError):
        Arguments.model_validate_json(json.dumps({"inputs": inputs}))


@pytest.mark.parametrize(
    "output",
    [{}, [], "text", {"a": 1}, {"text": "a"}, {"dtype": "<f4"}, dict.fromkeys(map(str, range(MAX_TENSORS + 1)), ARRAY)],
    ids=range(7),
)
def test_anything_else_is_no_result(output):
    with pytest.raises(ValidationError):
        Report.model_validate_json(json.dumps({"task": "t1", "state": "succeeded", "at": 1.5, "output": output}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 0},
        {"max_tokens": MOST_TOKENS + 1},
        {"temperature": 2.1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": float("nan")},
        {"top_k": 0},
        {"seed": -1},
        {"stop": [""]},
        {"stop": ["."] * 9},
        {"stop": ["\ud800"]},
        {"guidance": {"kind": "regex", "text": ""}},
        {"guidance": {"kind": "regex", "text": "\ud800"}},
        {"more": 1},
    ],
    ids=range(14),
)
def test_options_out_of_their_range_are_none(wrong):
    with pytest.raises(ValidationError):
        Options(**wrong)


def test_as_much_as_may_be_sent_is_read():
    whole = [SAID] * MAX_MESSAGES, ["a"] * MAX_TEXTS, dict.fromkeys(map(str, range(MAX_TENSORS)), ARRAY)
    for inputs in whole:
        assert len(Arguments.model_validate_json(json.dumps({"inputs": inputs})).inputs) == len(inputs)
    assert len(Prompt(inputs=whole[0]).inputs) == MAX_MESSAGES


def test_a_large_array_is_read_about_as_fast_as_if_nothing_else_could_answer():
    """Looking at every kind takes thirty times as long; the device, the recorder and the client all read it."""
    body = Tensor(dtype="|u1", shape=[MAX_BODY], data="A" * MAX_BODY).model_dump_json()

    def seconds(kind: object) -> float:
        adapter, best = TypeAdapter(kind), 60.0
        for _ in range(9):
            begun = time.process_time()
            adapter.validate_json(body)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(Output) < 8 * seconds(Tensor)
