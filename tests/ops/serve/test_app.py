"""The endpoint's HTTP side, over a client library that does what a test says."""

import asyncio
import json

import httpx
import numpy as np
import pytest

from models.catalogue import shipped_catalogue
from ops.serve.app import application
from ops.serve.body import MOST_BYTES
from ops.serve.network import Network
from starai.errors import BrokerRefused, BrokerUnreachable, Rejected, Restarted, UnknownModel
from starai.submission import DEADLINE
from tests.ops.serve.library import CHAT, MADE, STREAM, Library, error_of


def events(answer):
    lines = answer.text.split("\n\n")
    assert lines.pop() == ""
    return [line.removeprefix("data: ") for line in lines]


def test_a_chat_is_answered(ask, library):
    library.answer = MADE
    answer = ask("POST", "/v1/chat/completions", json=CHAT)

    assert answer.json()["choices"][0]["message"]["content"] == "Good day"
    assert answer.json()["id"] == "chatcmpl-task-1"
    ((model, inputs, more),) = library.asked
    assert (model, inputs[0].content, more["deadline"]) == ("phi3-3.8b", "a secret question", DEADLINE)
    assert more["options"].max_tokens == 1024


def test_a_stream_ends_with_the_numbers_of_tokens_and_done(ask, library):
    library.answer = ["Good", " day"]
    answer = ask("POST", "/v1/chat/completions", json=STREAM | {"stream_options": {"include_usage": True}})

    *chunks, done = events(answer)
    read = [json.loads(chunk) for chunk in chunks]
    assert done == "[DONE]"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in read if chunk["choices"])
    assert (text, read[-1]["usage"]["total_tokens"]) == ("Good day", 5)
    assert library.made[0].closed


def test_a_text_without_a_piece_is_a_stream_as_well(ask, library):
    library.answer = []

    begin, end, done = events(ask("POST", "/v1/chat/completions", json=STREAM))

    assert json.loads(begin)["choices"][0]["delta"]["role"] == "assistant"
    assert (json.loads(end)["choices"][0]["finish_reason"], done) == ("stop", "[DONE]")


@pytest.mark.parametrize(
    ("error", "status"), [(Rejected("full"), 429), (UnknownModel("none"), 404), (BrokerUnreachable("amqp://host"), 503)]
)
def test_what_goes_wrong_before_the_first_piece_is_a_status(ask, library, error, status):
    found = []
    for library.answer, body in ((error, CHAT), (error, STREAM), ([error], STREAM)):
        found.append(ask("POST", "/v1/chat/completions", json=body))

    assert [answer.status_code for answer in found] == [status] * 3
    assert ["retry-after" in answer.headers for answer in found] == [status != 404] * 3


def test_a_text_that_is_begun_anew_in_mid_stream_is_an_error_and_nothing_follows(ask, library, logged):
    library.answer = ["Good", Restarted("anew"), "Bad", " day"]

    *_, piece, error = events(ask("POST", "/v1/chat/completions", json=STREAM))

    assert json.loads(piece)["choices"][0]["delta"] == {"content": "Good"}
    assert json.loads(error)["error"]["code"] == "restarted"
    assert "end=restarted" in logged()


def test_an_error_that_nobody_foresaw_tells_nothing_and_is_logged(ask, library, logged):
    for answer, body in ((ValueError("a secret"), CHAT), (["Good", ValueError("a secret")], STREAM)):
        library.answer = answer
        found = ask("POST", "/v1/chat/completions", json=body)
        assert "server_failed" in found.text
        assert "secret" not in found.text
        assert "[DONE]" not in found.text

    assert logged().count("serve.failed") == 2


def test_vectors_are_answered(ask, library):
    library.answer = np.ones((2, 3), np.float32)
    answer = ask("POST", "/v1/embeddings", json={"model": "tiny", "input": ["one", "two"]})

    assert [each["embedding"] for each in answer.json()["data"]] == [[1, 1, 1]] * 2
    assert library.asked[0][:2] == ("tiny", ["one", "two"])


def test_a_body_that_is_too_large_is_refused(ask, library):
    def parts():
        yield b'{"a": "' + b"a" * MOST_BYTES
        yield b'"}'

    async def stream():
        for part in parts():
            yield part

    for content in (b"a" * (MOST_BYTES + 1), stream()):
        answer = ask("POST", "/v1/embeddings", content=content)
        assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")
    assert library.asked == []


def test_what_is_not_there_is_an_error_in_the_form_of_openai(ask):
    assert error_of(ask("GET", "/models"))["code"] == "not_found"
    wrong_method = ask("GET", "/v1/embeddings")
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "POST")
    unknown = ask("GET", "/v1/models/org/gpt-4o")
    assert (unknown.status_code, error_of(unknown)["code"]) == (404, "model_not_found")
    assert ask("GET", "/v1/models/phi3-3.8b").json()["id"] == "phi3-3.8b"


def test_the_log_has_neither_key_nor_text(ask, library, logged, key):
    library.answer = MADE
    ask("POST", f"/v1/chat/completions?key={key}", json=CHAT)
    ask("GET", "/healthz")

    (line,) = logged().splitlines()
    assert "serve.answered" in line
    assert "path=/v1/chat/completions status=200" in line
    assert "key=laptop model=phi3-3.8b task=task-1" in line
    assert key not in line
    assert "secret" not in line


def test_nobody_can_write_a_line_or_a_value_of_their_own_into_the_log(ask, library, logged):
    library.answer = UnknownModel("none")
    ask("GET", "/v1/models/a status=200")
    ask("POST", "/v1/chat/completions", json=CHAT | {"model": "a status=200\nb"})

    first, second = logged().splitlines()
    assert "path=/v1/models/a%20status=200 status=404" in first
    assert r"model='a status=200\nb'" in second


def test_what_the_client_is_not_told_is_in_the_log(ask, library, logged):
    library.answer = BrokerUnreachable("The broker at amqp://host is away.")
    answer = ask("POST", "/v1/chat/completions", json=CHAT)

    assert "amqp" not in answer.text
    assert "serve.refused error=BrokerUnreachable reason=The broker at amqp://host is away." in logged()


def test_a_client_that_was_refused_is_replaced_by_another(key, until):
    refused, other = Library(BrokerRefused("no such user")), Library(MADE)
    app = application(Network(refused, lambda: other, DEADLINE), shipped_catalogue(), None, 1, 1024)

    async def twice():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            for _ in range(2):
                yield await client.post("/v1/chat/completions", json=CHAT, headers={"Authorization": f"Bearer {key}"})

    async def statuses():
        return [answer.status_code async for answer in twice()]

    assert asyncio.run(statuses()) == [503, 200]
    assert refused.is_closed


def test_health_says_whether_the_broker_is_there(ask, library):
    library.is_connected = False

    assert (answer := ask("GET", "/healthz")).status_code == 503
    assert answer.json() == {"status": "network unreachable"}
