"""What a graph takes, and what it is told of arrays that are something else."""

from typing import get_args

import numpy as np
import pytest

from models.signature import DTYPES, check, port, require_askable
from starai.errors import BadInput, ModelError
from starai.wire import Tensor

PORTS = [
    port("image", "tensor(float)", ["batch", 3, None]),
    port("size", "tensor(int64)", []),
    port("mask", "tensor(bool)", [-1]),
]
GOOD = {"image": np.zeros((5, 3, 0), "f4"), "size": np.array(2), "mask": np.zeros(7, "?")}


def test_every_dtype_that_is_sent_is_one_of_a_graphs():
    assert {dtype.str for dtype in DTYPES.values()} == set(get_args(Tensor.model_fields["dtype"].annotation))


def test_what_is_free_may_be_of_any_size():
    check(GOOD, PORTS)
    check(GOOD | {"image": np.zeros((0, 3, 9), "f4"), "mask": np.zeros(0, "?")}, PORTS)


@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
def test_where_the_graph_says_nothing_of_a_shape_any_may_do(shape):
    check(GOOD | {"size": np.zeros(shape, "i8")}, PORTS)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((5, 3, 4)), r"float64 of shape \(5, 3, 4\); the model takes float32 of shape \(batch, 3, any\)"),
        (np.zeros((5, 3), "f4"), r"float32 of shape \(5, 3\); the model takes float32 of shape \(batch, 3, any\)"),
        (np.zeros((5, 4, 4), "f4"), r"float32 of shape \(5, 4, 4\); the model takes"),
        (np.float32(1), r"float32 of shape \(\); the model takes"),
    ],
)
def test_an_array_of_another_dtype_or_shape_is_refused_with_what_it_is_and_what_is_wanted(image, words):
    with pytest.raises(BadInput, match=f"input 'image' is {words}"):
        check(GOOD | {"image": np.asarray(image)}, PORTS)


def test_what_is_missing_is_named_with_all_that_is_taken():
    with pytest.raises(BadInput, match=r"'mask' is missing. It takes 'image', float32 .*; 'size', int64; 'mask', bool"):
        check({"image": GOOD["image"], "size": GOOD["size"]}, PORTS)


def test_what_is_not_known_is_named_and_no_longer_than_need_be():
    with pytest.raises(BadInput, match=r"no input 'a{80}'. It takes 'image'"):
        check(GOOD | {"a" * 10**6: GOOD["size"]}, PORTS)


@pytest.mark.parametrize(
    "kind", ["tensor(string)", "seq(tensor(float))", "tensor(bfloat16)", "optional(tensor(float))"]
)
def test_what_cannot_be_sent_is_refused(kind):
    with pytest.raises(ModelError, match=r"cannot be used: its 'words' is .* can be sent"):
        port("words", kind, [1])


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"), [(65, 1, "65 inputs"), (1, 65, "65 outputs"), (0, 1, "0 inputs")]
)
def test_more_arrays_than_a_task_may_have_or_none_are_refused(inputs, outputs, words):
    require_askable(PORTS[:1] * 64, PORTS[:1] * 64)
    with pytest.raises(ModelError, match=f"{words}, and from 1 to 64 can be sent"):
        require_askable(PORTS[:1] * inputs, PORTS[:1] * outputs)
