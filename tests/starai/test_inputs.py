"""What may be asked, as it is checked before it is sent, and what may answer it."""

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starai.errors import BadInput
from starai.generation import ChatMessage, Generated, Options
from starai.inputs import check_inputs, expected_of
from starai.tensor import unpack
from starai.wire import MAX_MESSAGES, MAX_TENSORS, MAX_TEXTS, Tensor

SAID = {"role": "user", "content": "Why is the sky blue?"}
ARRAY = np.array([[1.5, 2.5]], np.float32)
ROLES = st.sampled_from(["system", "user", "assistant"])
TURNS = st.lists(st.fixed_dictionaries({"role": ROLES, "content": st.text()}), min_size=1, max_size=5)


class Described:
    """Not an array, though it has a dtype."""

    dtype = "float32"


@given(
    TURNS, st.sampled_from([dict, MappingProxyType, lambda turn: ChatMessage(**turn)]), st.sampled_from([list, tuple])
)
def test_a_conversation_is_of_messages_or_of_what_reads_like_them(turns, kind, sequence):
    checked = check_inputs(sequence(kind(turn) for turn in turns))

    assert checked == [ChatMessage(**turn) for turn in turns]


def test_texts_may_come_in_any_sequence():
    assert check_inputs(("a", "b")) == ["a", "b"]
    assert check_inputs(["a"] * MAX_TEXTS) == ["a"] * MAX_TEXTS


def test_named_arrays_are_packed_each_under_its_name():
    checked = check_inputs(MappingProxyType({"pixels": ARRAY, "scale": np.float64(2), "none": np.zeros((0, 3))}))

    assert [tensor.dtype for tensor in checked.values()] == ["<f4", "<f8", "<f8"]
    assert [tensor.shape for tensor in checked.values()] == [[1, 2], [], [0, 3]]
    assert unpack(checked["pixels"]).tolist() == ARRAY.tolist()


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([SAID, "a"], "Message 1 is none"),
        ([SAID, {}], "Message 1 is none: role: Field required"),
        ([SAID, {"role": "user"}], "Message 1 is none: content: Field required"),
        ([SAID, SAID | {"role": "boss"}], "Message 1 .* should be 'system', 'user' or 'assistant'"),
        ([SAID | {"content": None}], "Message 0 is none: content"),
        ([SAID | {"content": [{"type": "text", "text": "a"}]}], "Message 0 is none: content"),
        ([SAID | {"name": "ann"}], "Message 0 is none: name: Extra inputs"),
        (["a", SAID], "Input 1 is dict, not a text"),
        ([5, SAID], "Input 0 is int, not a text"),
        ([SAID] * (MAX_MESSAGES + 1), "at most 1,000 messages, not 1,001"),
        (["a"] * (MAX_TEXTS + 1), r"at most 4,096 texts, not 4,097: use map\(\)"),
        (ARRAY, "or a dict of named arrays, not ndarray"),
    ],
    ids=range(12),
)
def test_what_is_neither_texts_nor_a_conversation_is_refused_with_its_place(inputs, reason):
    with pytest.raises(BadInput, match=reason):
        check_inputs(inputs)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, "from 1 to 64 named arrays, not 0"),
        (dict.fromkeys(map(str, range(MAX_TENSORS + 1)), ARRAY), "from 1 to 64 named arrays, not 65"),
        ({"a": ARRAY, 5: ARRAY}, "named by texts, not by int"),
        ({0: ARRAY}, "named by texts, not by int"),
        ({None: ARRAY}, "named by texts, not by NoneType"),
        ({"a": ARRAY, "b": [1.5]}, "The input 'b' is list, not a numpy array"),
        ({"a": Described()}, "The input 'a' is Described, not a numpy array"),
        ({"a": np.float32}, "The input 'a' is type, not a numpy array"),
        ({"a": np.array(["x"])}, "The input 'a': An array of <U1 cannot be sent: convert it to one of float32, "),
        ({"a": np.zeros(1, object)}, "The input 'a': An array of object cannot be sent"),
        ({"a": np.zeros([1] * 9)}, "The input 'a': An array of 9 dimensions cannot be sent: the most is 8"),
    ],
    ids=range(11),
)
def test_what_are_no_named_arrays_is_refused_with_the_name(arrays, reason):
    with pytest.raises(BadInput, match=reason):
        check_inputs(arrays)


def test_a_name_is_repeated_only_as_far_as_people_read():
    with pytest.raises(BadInput) as refused:
        check_inputs({"x" * 10_000: 5})

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("inputs", "options", "kinds", "rows"),
    [
        ("a", None, (Tensor, Generated), ()),
        ("a", Options(), (Generated,), None),
        (["a", "b"], None, (Tensor,), (2,)),
        ([SAID], None, (Generated,), None),
        ([SAID], Options(), (Generated,), None),
        ({"a": ARRAY}, None, (dict,), None),
    ],
)
def test_what_may_answer_follows_from_what_is_asked(inputs, options, kinds, rows):
    expected = expected_of(check_inputs(inputs), options)

    assert (expected.kinds, expected.rows) == (kinds, rows)
