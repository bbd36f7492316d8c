"""A result as its submitter gets it, and what is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from starai.answer import Expected
from starai.errors import BadInput
from starai.generation import FinishReason, Generated
from starai.tensor import pack
from starai.wire import Tensor

TEXT = Generated(
    text="Because.", finish_reason=FinishReason.STOP, prompt_tokens=5, tokens=2, first_token_seconds=0.1, seconds=0.2
)
VECTOR = pack(np.array([1.5, 2.5], np.float32))
BROKEN = Tensor(dtype="<f4", shape=[2], data="AAAA")
OUTPUTS = {Tensor: VECTOR, Generated: TEXT, dict: {"sum": VECTOR}}
ARRAYS = arrays.arrays(
    st.sampled_from(["<f4", "<f2", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"]),
    arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
)


@given(st.dictionaries(st.text(max_size=9), ARRAYS, min_size=1, max_size=4))
def test_named_arrays_answer_as_they_were_made(made):
    answer = Expected((dict,)).answer({name: pack(array) for name, array in made.items()})

    assert {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in answer.items()} == {
        name: (a.dtype.str, a.shape, a.tobytes()) for name, a in made.items()
    }


def test_a_text_answers_with_all_that_is_known_of_it():
    assert Expected((Generated,)).answer(TEXT) is TEXT


@pytest.mark.parametrize("asked", OUTPUTS)
@pytest.mark.parametrize(
    ("given", "words"), [(Tensor, "an array is"), (Generated, "a text is"), (dict, "named arrays is")]
)
def test_what_is_of_another_kind_is_no_answer(asked, given, words):
    if asked is given:
        Expected((asked,)).answer(OUTPUTS[given])
        return
    with pytest.raises(BadInput, match=f"{words} no answer to what was asked"):
        Expected((asked,)).answer(OUTPUTS[given])


def test_one_text_may_be_answered_with_a_vector_or_a_text_but_not_with_arrays():
    one_text = Expected((Tensor, Generated), ())

    assert one_text.answer(VECTOR).tolist() == [1.5, 2.5]
    assert one_text.answer(TEXT) is TEXT
    with pytest.raises(BadInput, match="no answer to what was asked"):
        one_text.answer({"sum": VECTOR})


@pytest.mark.parametrize(
    ("rows", "shape"), [((), (4,)), ((2,), (2, 4)), ((2,), (2, 0)), (None, (4,)), (None, (3, 4)), (None, (1, 2, 4))]
)
def test_there_is_a_row_for_each_text_as_far_as_their_number_is_known(rows, shape):
    assert Expected((Tensor,), rows).answer(pack(np.ones(shape, np.float32))).shape == shape


@pytest.mark.parametrize(
    ("rows", "shape", "dtype"),
    [
        ((), (), "f4"),
        ((), (1, 4), "f4"),
        ((2,), (4,), "f4"),
        ((2,), (3, 4), "f4"),
        ((2,), (2, 4, 1), "f4"),
        ((2,), (2,), "f4"),
        (None, (), "f4"),
        (None, (4,), "f8"),
        ((), (4,), "i4"),
    ],
)
def test_an_array_of_another_form_is_no_answer(rows, shape, dtype):
    with pytest.raises(BadInput, match="is no answer to inputs of shape"):
        Expected((Tensor,), rows).answer(pack(np.ones(shape, dtype)))


@pytest.mark.parametrize("output", [BROKEN, {"good": VECTOR, "broken": BROKEN}], ids=["vector", "named"])
def test_an_array_that_is_not_whole_is_no_answer(output):
    with pytest.raises(BadInput, match="has 8 bytes, not 3"):
        Expected().answer(output)


def test_where_it_is_not_known_what_was_asked_any_result_is_an_answer():
    for output in OUTPUTS.values():
        Expected().answer(output)
