"""Arrays on the wire."""

import base64
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from starai.errors import BadInput
from starai.tensor import is_sound, pack, unpack
from starai.wire import Tensor

DTYPES = get_args(Tensor.model_fields["dtype"].annotation)
SENT = arrays.arrays(
    st.sampled_from([*DTYPES, *(dtype.replace("<", ">") for dtype in DTYPES)]),
    arrays.array_shapes(min_dims=0, max_dims=8, min_side=0, max_side=3),
)


@given(SENT, st.booleans())
def test_an_array_comes_back_as_it_was(array, transposed):
    array = array.T if transposed else array

    back = unpack(Tensor.model_validate_json(pack(array).model_dump_json()))

    assert back.dtype == array.dtype.newbyteorder("<")
    assert back.shape == array.shape
    assert back.tobytes() == array.astype(back.dtype).tobytes()
    assert back.flags.writeable


def test_arrays_of_numbers_and_truth_values_of_every_usual_size_are_sent():
    assert {np.dtype(dtype).name for dtype in DTYPES} == {
        *("float16", "float32", "float64", "bool"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    }


def test_the_bytes_are_little_endian_in_c_order():
    sent = pack(np.array([[1, 2], [3, 4]], ">f4").T)

    assert (sent.dtype, sent.shape) == ("<f4", [2, 2])
    assert base64.b64decode(sent.data) == np.array([1, 3, 2, 4], "<f4").tobytes()


@pytest.mark.parametrize("dtype", ["c8", "g", "U3", "S3", "M8[s]", "O", "V2", "i4,f4"])
def test_an_array_of_another_dtype_is_not_sent(dtype):
    with pytest.raises(BadInput, match="cannot be sent"):
        pack(np.zeros(2, dtype))


def test_an_array_of_more_dimensions_than_travel_is_not_sent():
    pack(np.zeros((1,) * 8))
    with pytest.raises(BadInput, match="9 dimensions cannot be sent: the most is 8"):
        pack(np.zeros((1,) * 9))


def test_a_truth_value_is_0_or_1_whatever_byte_is_sent():
    array = unpack(Tensor(dtype="|b1", shape=[2, 2], data=base64.b64encode(b"\x00\x01\x02\xff").decode()))

    assert array.view("u1").tolist() == [[0, 1], [1, 1]]
    assert array.flags.writeable


@given(
    st.sampled_from(DTYPES),
    st.lists(st.integers(0, 2**70) | st.integers(0, 3), max_size=8),
    st.text(max_size=30) | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()),
)
def test_what_a_stranger_sends_is_an_array_of_that_shape_or_refused(dtype, shape, data):
    tensor = Tensor(dtype=dtype, shape=shape, data=data)
    try:
        array = unpack(tensor)
    except BadInput:
        assert not is_sound(tensor)
        return
    assert is_sound(tensor)
    assert (array.dtype, list(array.shape)) == (np.dtype(dtype), shape)


@given(st.integers(0, 12), st.data())
def test_a_sound_array_is_known_without_being_unpacked(size, data):
    good = base64.b64encode(bytes(4 * size)).decode()
    at, other = data.draw(st.integers(0, max(len(good) - 1, 0))), data.draw(st.sampled_from("A=!é\n"))
    for text in (good, good[:at] + other + good[at + 1 :], good + other):
        tensor = Tensor(dtype="<f4", shape=[size], data=text)
        try:
            unpack(tensor)
        except BadInput:
            assert not is_sound(tensor)
        else:
            assert is_sound(tensor)
