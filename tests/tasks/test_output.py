"""What each kind of model makes of a task, and which tasks it refuses."""

from concurrent.futures import Future

import numpy as np
import pytest

from models.entry import Kind
from starai.errors import BadInput, Cancelled, ModelCrashed, ModelError
from starai.generation import ChatMessage, FinishReason, Generated, Options, Prompt
from starai.tensor import pack, unpack
from starai.wire import Tensor
from tasks import output
from tasks.message import Task
from tasks.output import Work, output_of
from tasks.pieces import Pieces

LEASE = 30.0
TURN = ChatMessage(role="user", content="Why is the sky blue?")
TEXT = Generated(
    text="Because.", finish_reason=FinishReason.STOP, prompt_tokens=5, tokens=2, first_token_seconds=0.1, seconds=0.2
)
ARRAYS = {"a": pack(np.array([1, 2], np.int64)), "b": pack(np.array([0.5], np.float32))}


class Model:
    """A model of any kind, that notes what it is asked and how long it may take."""

    def __init__(self, kind, error=None):
        self.kind = kind
        self.asked = []
        self._error = error

    def run(self, inputs, timeout, stop=None):
        self._note(inputs, timeout, stop)
        return np.array([[len(text), 1.5] for text in inputs], np.float32)

    def generate(self, prompt, timeout, stop, on_piece):
        self._note(prompt, timeout, stop)
        for piece in ("Be", "cause", "."):
            on_piece(piece)
        return TEXT

    def compute(self, arrays, timeout, stop=None):
        self._note({name: array.tolist() for name, array in arrays.items()}, timeout, stop)
        return {"sum": sum(array.sum() for array in arrays.values()), "none": np.zeros((0, 3), np.bool_)}

    def _note(self, *asked):
        self.asked.append(asked)
        if self._error:
            raise self._error


class Told:
    """Takes what is said while a text is made."""

    def __init__(self):
        self.pieces = []

    def __call__(self, state, **more):
        self.pieces.append((state, more["text"]))
        done = Future()
        done.set_result(None)
        return done


def made(model, inputs, told=None, stop=None, **more):
    task = Task("id", "reply.me-1", inputs, None, None, 0, **more)
    pieces = Pieces(told or Told(), LEASE, streamed=task.stream, clock=(tenths / 10 for tenths in range(29)).__next__)
    return output_of(Work(task, model, LEASE, stop), pieces)


@pytest.mark.parametrize(
    ("inputs", "rows"), [("four", [4, 1.5]), (["four"], [[4, 1.5]]), (["", "a"], [[0, 1.5], [1, 1.5]])]
)
def test_a_model_that_embeds_makes_a_row_of_each_text(inputs, rows):
    model, stop = Model(Kind.EMBED), Future()

    assert unpack(made(model, inputs, stop=stop)).tolist() == rows
    assert model.asked == [([inputs] if isinstance(inputs, str) else inputs, LEASE, stop)]


@pytest.mark.parametrize("inputs", ["Why", [TURN, TURN]], ids=["text", "conversation"])
@pytest.mark.parametrize("options", [None, Options(max_tokens=3)], ids=["usual", "asked"])
def test_a_language_model_goes_on_from_a_prompt_or_a_conversation(inputs, options):
    model, stop = Model(Kind.GENERATE), Future()

    assert made(model, inputs, stop=stop, options=options) is TEXT
    assert model.asked == [(Prompt(inputs=inputs, options=options or Options()), LEASE, stop)]


@pytest.mark.parametrize(
    ("stream", "pieces"), [(True, [("piece", "Be"), ("piece", "cause"), ("piece", ".")]), (False, [])]
)
def test_the_pieces_of_a_text_are_told_where_they_are_wanted(stream, pieces):
    told = Told()
    made(Model(Kind.GENERATE), "Why", told, stream=stream)

    assert told.pieces == pieces


def test_a_model_of_arrays_is_given_them_by_name_and_so_are_its_results():
    model, stop = Model(Kind.TENSORS), Future()
    result = made(model, ARRAYS, stop=stop)

    assert {name: unpack(array).tolist() for name, array in result.items()} == {"sum": 3.5, "none": []}
    assert (result["sum"].shape, result["none"].shape, result["none"].dtype) == ([], [0, 3], "|b1")
    assert model.asked == [({"a": [1, 2], "b": [0.5]}, LEASE, stop)]


@pytest.mark.parametrize(
    ("kind", "inputs", "more", "advice"),
    [
        (Kind.EMBED, [TURN], {}, "give it a text, or a list of texts"),
        (Kind.EMBED, ARRAYS, {}, "give it a text, or a list of texts"),
        (Kind.EMBED, "Why", {"options": Options()}, "generates none"),
        (Kind.EMBED, ["Why"], {"stream": True}, "generates none"),
        (Kind.EMBED, [], {}, "The list of texts is empty"),
        (Kind.GENERATE, ["Why"], {}, "one prompt or one conversation: submit each as a task of its own"),
        (Kind.GENERATE, [], {}, "one prompt or one conversation"),
        (Kind.GENERATE, ARRAYS, {}, "one prompt or one conversation"),
        (Kind.TENSORS, "Why", {}, "takes named arrays: give it a dict of them"),
        (Kind.TENSORS, ["Why"], {}, "takes named arrays: give it a dict of them"),
        (Kind.TENSORS, [TURN], {}, "takes named arrays: give it a dict of them"),
    ],
)
def test_a_task_for_another_kind_of_model_is_refused_with_what_to_give_this_one(kind, inputs, more, advice):
    model = Model(kind)

    with pytest.raises(BadInput, match=advice):
        made(model, inputs, **more)
    assert model.asked == []


def test_arrays_that_are_not_whole_are_refused():
    model = Model(Kind.TENSORS)

    with pytest.raises(BadInput, match="has 8 bytes, not 3"):
        made(model, {"a": Tensor(dtype="<f4", shape=[2], data="AAAA")})
    assert model.asked == []


@pytest.mark.parametrize(
    ("kind", "inputs", "advice"),
    [
        (Kind.EMBED, ["a"] * 100, r"Send fewer texts in one task, or use map\(\)"),
        (Kind.TENSORS, ARRAYS, "Send less in one task"),
    ],
)
def test_a_result_that_is_too_large_to_send_is_refused_with_what_helps(monkeypatch, kind, inputs, advice):
    monkeypatch.setattr(output, "MAX_BODY", 2000)

    with pytest.raises(BadInput, match=rf"The result would have [0-9,]+ bytes; the most is 2,000\. {advice}"):
        made(Model(kind), inputs)


ASKED = {Kind.EMBED: "Why", Kind.GENERATE: "Why", Kind.TENSORS: ARRAYS}


@pytest.mark.parametrize("kind", Kind)
def test_an_error_that_nobody_expected_counts_as_the_models(kind):
    with pytest.raises(ModelError, match="an error that nobody expected: LookupError") as caught:
        made(Model(kind, LookupError("a bug")), ASKED[kind])
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("error", [BadInput("too long"), Cancelled("withdrawn"), ModelCrashed("gone")], ids=repr)
def test_an_error_that_says_whose_fault_it_is_stays_as_it_is(kind, error):
    with pytest.raises(type(error)) as caught:
        made(Model(kind, error), ASKED[kind])
    assert caught.value is error
