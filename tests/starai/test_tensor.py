"""Arrays on the wire."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from starai.errors import BadInput
from starai.tensor import is_sound, pack, unpack
from starai.wire import Tensor

SENT = arrays.arrays(
    st.sampled_from(["<f4", ">f4", "<f2", ">f2", "<i8", ">i8"]), arrays.array_shapes(min_dims=0, min_side=0, max_side=5)
)


@given(SENT, st.booleans())
def test_an_array_comes_back_as_it_was(array, transposed):
    array = array.T if transposed else array

    back = unpack(Tensor.model_validate_json(pack(array).model_dump_json()))

    assert back.dtype == array.dtype.newbyteorder("<")
    assert back.shape == array.shape
    assert back.astype("<f8").tobytes() == np.ascontiguousarray(array).astype("<f8").tobytes()
    assert back.flags.writeable


def test_the_bytes_are_little_endian_in_c_order():
    sent = pack(np.array([[1, 2], [3, 4]], ">f4").T)

    assert (sent.dtype, sent.shape) == ("<f4", [2, 2])
    assert base64.b64decode(sent.data) == np.array([1, 3, 2, 4], "<f4").tobytes()


@pytest.mark.parametrize("dtype", ["f8", "i4", "?", "c8", "U3", "O"])
def test_an_array_of_another_dtype_is_not_sent(dtype):
    with pytest.raises(BadInput, match="cannot be sent"):
        pack(np.zeros(2, dtype))


@given(
    st.sampled_from(["<f4", "<f2", "<i8"]),
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
