import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.frames import read_frame, write_frame
from models.messages import Answer, Piece, Request, Withdrawal, read_answer, read_request, write_answer, write_request
from starai.errors import BadInput, EngineMissing, ModelCorrupt, ModelError
from starai.generation import ChatMessage, FinishReason, Generated, Options, Prompt


@given(st.lists(st.tuples(st.dictionaries(st.text(), st.integers()), st.binary()), max_size=5))
def test_frames_come_out_as_they_went_in(frames: list[tuple[dict[str, int], bytes]]):
    stream = io.BytesIO()
    for head, body in frames:
        write_frame(stream, head, body)
    stream.seek(0)
    assert [read_frame(stream) for _ in frames] == frames
    assert read_frame(stream) is None


@given(st.data())
def test_a_stream_that_ends_within_a_frame_has_ended(data: st.DataObject):
    stream = io.BytesIO()
    write_frame(stream, {"id": 1}, b"body")
    whole = stream.getvalue()
    assert read_frame(io.BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))])) is None


@given(st.lists(st.text(st.characters())))
def test_any_text_reaches_the_model_as_it_is(texts: list[str]):
    stream = io.BytesIO()
    write_request(stream, Request(7, texts))
    stream.seek(0)
    assert read_request(stream) == Request(7, texts)


def test_a_withdrawal_is_told_from_a_request_without_texts():
    stream = io.BytesIO()
    for message in (Request(1, []), Withdrawal(1)):
        write_request(stream, message)
    stream.seek(0)
    assert [read_request(stream), read_request(stream)] == [Request(1, []), Withdrawal(1)]


def test_half_a_surrogate_pair_reaches_the_model_which_may_refuse_it():
    stream = io.BytesIO()
    write_request(stream, Request(7, ["\ud800"]))
    stream.seek(0)
    assert read_request(stream) == Request(7, ["\ud800"])


def test_rows_come_back_as_writable_float32():
    stream, rows = io.BytesIO(), np.arange(6, dtype=np.float32).reshape(2, 3)
    write_answer(stream, Answer(7, rows))
    stream.seek(0)
    answer = read_answer(stream)
    assert answer is not None
    assert isinstance(answer.outcome, np.ndarray)
    assert answer.outcome.dtype == np.float32
    assert answer.outcome.flags.writeable
    np.testing.assert_array_equal(answer.outcome, rows)


@pytest.mark.parametrize("kind", [BadInput, ModelCorrupt, EngineMissing, ModelError])
def test_an_error_comes_back_as_what_it_was(kind: type[Exception]):
    stream = io.BytesIO()
    write_answer(stream, Answer(7, kind("what happened")))  # type: ignore[arg-type]
    stream.seek(0)
    answer = read_answer(stream)
    assert answer is not None
    assert type(answer.outcome) is kind
    assert str(answer.outcome) == "what happened"


def test_a_prompt_a_piece_and_a_text_arrive_as_they_were():
    prompt = Prompt(inputs=[ChatMessage(role="user", content="Why?")], options=Options(temperature=0.5, stop=["x"]))
    text = Generated(
        text="ä", finish_reason=FinishReason.STOP, prompt_tokens=1, tokens=2, first_token_seconds=0.1, seconds=0.2
    )
    stream = io.BytesIO()
    write_request(stream, Request(7, prompt))
    for message in (Piece(7, "ä"), Answer(7, text)):
        write_answer(stream, message)
    stream.seek(0)

    assert read_request(stream) == Request(7, prompt)
    assert [read_answer(stream), read_answer(stream)] == [Piece(7, "ä"), Answer(7, text)]


SENT = {
    "odd": np.array([True, False, True]),  # what follows does not lie where a processor likes it
    "rows": np.arange(6, dtype="<f4").reshape(2, 3),
    "one": np.array(7, "<i8"),
    "none": np.zeros((0, 3), "<f2"),
    "\ud800": np.array([1], "|u1"),
}


def same(got: object, sent: dict[str, np.ndarray]) -> bool:
    assert isinstance(got, dict)
    return list(got) == list(sent) and all(
        got[name].dtype == array.dtype and got[name].shape == array.shape and np.array_equal(got[name], array)
        for name, array in sent.items()
    )


def test_arrays_arrive_as_they_were_and_can_be_written_to():
    stream = io.BytesIO()
    write_request(stream, Request(7, SENT))
    write_answer(stream, Answer(7, SENT))
    stream.seek(0)

    asked, answered = read_request(stream), read_answer(stream)

    assert isinstance(asked, Request)
    assert isinstance(answered, Answer)
    assert same(asked.asked, SENT)
    assert same(answered.outcome, SENT)
    assert all(array.flags.writeable and array.flags.aligned for array in asked.asked.values())


def test_a_withdrawal_is_told_from_a_request_without_arrays_or_without_elements():
    stream = io.BytesIO()
    for message in (Request(1, {}), Request(2, {"x": np.zeros(0)}), Withdrawal(1)):
        write_request(stream, message)
    stream.seek(0)

    assert read_request(stream) == Request(1, {})
    assert isinstance(read_request(stream), Request)
    assert read_request(stream) == Withdrawal(1)
