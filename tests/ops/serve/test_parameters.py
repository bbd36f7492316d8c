"""Completions and embeddings as OpenAI's clients ask for them, and requests that are none."""

import base64

import numpy as np
import pytest

from models.catalogue import shipped_catalogue
from models.entry import Kind
from ops.serve.completions import read_completion
from ops.serve.embeddings import embeddings, read_embeddings
from ops.serve.form import CompletionForm, Heading
from ops.serve.model_list import model_list
from ops.serve.parameters import parsed
from ops.serve.refusal import Refusal, refusal_of
from starai import errors
from starai.generation import FinishReason, Generated, Options

MADE = Generated(
    text=" time", finish_reason=FinishReason.STOP, prompt_tokens=3, tokens=1, first_token_seconds=0, seconds=0
)
ONCE = {"model": "phi3-3.8b", "prompt": "Once upon a"}


def param_of(read, data):
    with pytest.raises(Refusal) as caught:
        read(data)
    assert caught.value.status == 400
    return caught.value.param


def test_a_completion_has_sixteen_tokens_where_nobody_says():
    found = read_completion(ONCE)

    assert (found.inputs, found.options) == ("Once upon a", Options(max_tokens=16, temperature=1))
    assert read_completion(ONCE | {"prompt": ["Once"], "max_tokens": 3}).options.max_tokens == 3


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"best_of": 2}, "best_of"),
        ({"echo": True}, "echo"),
        ({"suffix": "end"}, "suffix"),
        ({"logprobs": 0}, "logprobs"),
        ({"messages": []}, "messages"),
    ],
)
def test_what_is_not_served_of_a_completion_is_refused_by_its_name(more, param):
    assert param_of(read_completion, ONCE | more) == param


def test_a_completion_is_answered_in_the_form_of_openai():
    heading = Heading("task-1", 1, "phi3-3.8b")
    whole, end = CompletionForm().whole(heading, MADE), CompletionForm().end(heading, FinishReason.STOP)

    assert (whole["id"], whole["object"]) == ("cmpl-task-1", "text_completion")
    assert whole["choices"] == [{"index": 0, "text": " time", "logprobs": None, "finish_reason": "stop"}]
    assert end["choices"] == [{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}]
    assert CompletionForm().opening(heading) == []


def test_one_text_or_many_are_embedded():
    assert read_embeddings({"model": "tiny", "input": "one"}).texts == ["one"]
    assert read_embeddings({"model": "tiny", "input": ["one", "two"], "user": "ann"}).texts == ["one", "two"]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"input": None}, "input"),
        ({"dimensions": 64}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_what_is_not_served_of_embeddings_is_refused_by_its_name(more, param):
    assert param_of(read_embeddings, {"model": "tiny", "input": "one"} | more) == param


def test_vectors_are_numbers_or_the_bytes_that_they_are():
    vectors = np.array([[0.5, -1], [2, 3]], np.float32)
    asked = {"model": "tiny", "input": ["one", "two"]}

    numbers = embeddings(vectors, read_embeddings(asked))
    coded = embeddings(vectors, read_embeddings(asked | {"encoding_format": "base64"}))

    assert [each["embedding"] for each in numbers["data"]] == [[0.5, -1], [2, 3]]
    assert [each["index"] for each in numbers["data"]] == [0, 1]
    assert np.frombuffer(base64.b64decode(coded["data"][1]["embedding"]), "<f4").tolist() == [2, 3]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"text"', b'{"a": NaN}', b"[" * 100_000, b'"\xff"'])
def test_a_body_that_is_no_json_object_is_refused(body):
    with pytest.raises(Refusal) as caught:
        parsed(body)

    assert caught.value.status == 400


def test_the_models_of_the_catalogue_are_listed_and_the_tiers_that_stand_for_one():
    listed = model_list(shipped_catalogue(), 7)

    names = [each["id"] for each in listed["data"]]
    assert {"all-minilm-l6-v2", "phi3-3.8b", "tiny"} <= set(names)
    assert "large" not in names
    assert list(names) == [each.name for each in shipped_catalogue() if each.kind is not Kind.TENSORS] + ["tiny"]
    assert listed["data"][0] == {"id": names[0], "object": "model", "created": 7, "owned_by": "starai"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.BadInput("wrong"), 400, None),
        (errors.UnknownModel("none"), 404, "model_not_found"),
        (errors.InvalidName("none"), 404, "model_not_found"),
        (errors.Rejected("full"), 429, "rate_limit_exceeded"),
        (errors.FailedOnDevice("broken"), 502, "failed_on_device"),
        (errors.Restarted("anew"), 502, "restarted"),
        (errors.BrokerUnreachable("amqp://host"), 503, "network_unreachable"),
        (errors.ClientClosed("closed"), 503, "network_unreachable"),
        (errors.RegistryError("postgresql://host"), 503, "network_unreachable"),
        (errors.Expired("late"), 504, "expired"),
        (errors.Cancelled("gone"), 409, "cancelled"),
        (errors.ModelError("odd"), 500, "server_failed"),
    ],
)
def test_each_error_of_ours_is_one_of_openai(error, status, code):
    refusal = refusal_of(error)

    assert (refusal.status, refusal.code) == (status, code)
    assert set(refusal.body["error"]) == {"message", "type", "param", "code"}
    assert "://" not in refusal.message


def test_what_would_fail_again_is_not_tried_again_and_what_was_full_is():
    assert refusal_of(errors.FailedOnDevice("broken")).headers == {"x-should-retry": "false"}
    assert "Retry-After" in refusal_of(errors.Rejected("full")).headers
    assert "Retry-After" in refusal_of(errors.BrokerUnreachable("gone")).headers
