"""OpenAI's own client at `starai serve`, before a whole network with a small language model."""

import asyncio
import json
import signal
from contextlib import suppress

import numpy as np
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from broker_config.regions import Region
from ops.local_device import LocalDevice
from ops.network import LocalNetwork
from ops.serve.keys import issue_key
from starai import Client
from starai.errors import JobUnknown
from starai.generation import Options
from starai.request import JobState
from tests.ops.serve.serving import CHATS, EMBEDS, LONG, fill, serving

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("serve"), pytest.mark.timeout(300)]

HELLO = {"model": CHATS, "messages": [{"role": "user", "content": "hello"}]}
GREEDY = HELLO | {"max_tokens": 12, "temperature": 0}
LONG_CHAT = HELLO | LONG


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    home = tmp_path_factory.mktemp("served") / "home"
    with pytest.MonkeyPatch.context() as environment:
        for name in ("STARAI_BROKER_URL", "STARAI_DATABASE_URL", "STARAI_REGION"):
            environment.delenv(name, raising=False)
        environment.setenv("STARAI_HOME", str(home))
        fill(home)
        network = LocalNetwork([LocalDevice("near", Region.ASIA)], (EMBEDS, CHATS), Region.ASIA)
        network.start(lambda _: None)
        key = issue_key("laptop")
    with network:
        yield home, key


@pytest.fixture
def home(network, monkeypatch):
    """The network's home, as that of this test's commands and clients."""
    monkeypatch.setenv("STARAI_HOME", str(network[0]))
    return network[0]


@pytest.fixture(scope="module")
def server(network):
    """The one that most tests share."""
    home, _ = network
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STARAI_HOME", str(home))
        with serving(home / "serve.log") as server:
            yield server


@pytest.fixture
def ask(server, network):
    """OpenAI's client."""
    with OpenAI(base_url=server.url, api_key=network[1], timeout=60, max_retries=0) as client:
        yield client


@pytest.fixture
def state_of(home):
    """Return a function that tells what the ledger knows of an answer's task, if it knows that yet."""
    with Client() as client:

        def look(answer):
            with suppress(JobUnknown):
                return client.job(answer.id.removeprefix("chatcmpl-")).status().state

        yield look


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_vectors_are_those_of_the_model_in_both_forms(ask, home):
    texts = ["a small cat", "a kitten"]
    with Client() as client:
        expected = client.submit(EMBEDS, texts).result(60)

    for more in ({}, {"encoding_format": "float"}):
        answer = ask.embeddings.create(model="tiny", input=texts, **more)
        assert np.allclose([each.embedding for each in answer.data], expected, atol=1e-6)
    assert np.allclose(ask.embeddings.create(model=EMBEDS, input=texts[0]).data[0].embedding, expected[0], atol=1e-6)


def test_models_are_listed_and_one_is_found(ask):
    assert {CHATS, EMBEDS, "tiny"} <= {model.id for model in ask.models.list()}
    assert ask.models.retrieve(CHATS).owned_by == "starai"
    with pytest.raises(openai.NotFoundError) as caught:
        ask.models.retrieve("gpt-4o")
    assert caught.value.code == "model_not_found"


def test_a_chat_is_what_the_network_makes_with_the_numbers_of_tokens(ask, home):
    with Client() as client:
        made = client.submit(CHATS, HELLO["messages"], options=Options(max_tokens=12)).result(60)

    answer = ask.chat.completions.create(**GREEDY)

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (made.text, "length")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (made.prompt_tokens, 12)
    assert (answer.model, answer.system_fingerprint) == (CHATS, None)


def test_a_chat_that_is_streamed_is_the_same_text(ask):
    whole = ask.chat.completions.create(**GREEDY)
    chunks = list(ask.chat.completions.create(**GREEDY, stream=True, stream_options={"include_usage": True}))

    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:] if chunk.choices] == ["length"]
    assert chunks[-1].usage == whole.usage


def test_a_text_comes_in_pieces_while_it_is_made(ask):
    chunks = list(ask.chat.completions.create(**LONG_CHAT, stream=True))

    assert len(chunks) > 10
    assert chunks[-1].choices[0].finish_reason == "length"


def test_a_completion_goes_on_from_its_prompt(ask):
    asked = {"model": CHATS, "prompt": "The device", "max_tokens": 8, "temperature": 0}
    whole = ask.completions.create(**asked)
    pieces = [chunk.choices[0].text for chunk in ask.completions.create(**asked, stream=True)]

    assert "".join(pieces) == whole.choices[0].text
    assert whole.usage.completion_tokens == 8


def test_a_stop_string_ends_a_text(ask):
    text = ask.chat.completions.create(**GREEDY).choices[0].message.content

    stopped = ask.chat.completions.create(**GREEDY, stop=text[4:6]).choices[0]

    assert (stopped.message.content, stopped.finish_reason) == (text[: text.index(text[4:6])], "stop")


def test_a_seed_draws_the_same_text_again(ask):
    drawn = HELLO | {"max_tokens": 12, "temperature": 1.5, "seed": -7}

    one, two = (ask.chat.completions.create(**drawn).choices[0].message.content for _ in range(2))

    assert one == two


def test_a_text_follows_the_schema_that_was_asked_for(ask):
    schema = {
        "type": "object",
        "properties": {"ready": {"type": "boolean"}},
        "required": ["ready"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    answer = ask.chat.completions.create(**HELLO, response_format=wanted)

    assert set(json.loads(answer.choices[0].message.content)) == {"ready"}


def test_all_of_it_is_there_in_asyncio_and_many_requests_share_the_server(server, network):
    async def many():
        async with AsyncOpenAI(base_url=server.url, api_key=network[1], timeout=60, max_retries=0) as ask:

            async def stream():
                return text_of([chunk async for chunk in await ask.chat.completions.create(**GREEDY, stream=True)])

            whole = [ask.chat.completions.create(**GREEDY) for _ in range(4)]
            vectors = [ask.embeddings.create(model=EMBEDS, input=f"text {n}") for n in range(4)]
            answers = await asyncio.gather(*whole, *vectors, *(stream() for _ in range(4)))
        return {answer.choices[0].message.content for answer in answers[:4]} | set(answers[8:]), answers[4:8]

    texts, vectors = asyncio.run(many())
    assert len(texts) == 1
    assert len({tuple(answer.data[0].embedding) for answer in vectors}) == 4


def test_what_is_wrong_is_the_error_that_openais_client_knows(ask, server):
    with pytest.raises(openai.NotFoundError) as unknown:
        ask.chat.completions.create(**HELLO | {"model": "gpt-4o"})
    with pytest.raises(openai.NotFoundError):
        list(ask.chat.completions.create(**HELLO | {"model": "gpt-4o"}, stream=True))
    with pytest.raises(openai.BadRequestError) as refused:
        ask.chat.completions.create(**HELLO, n=2)
    with pytest.raises(openai.BadRequestError) as too_long:
        ask.chat.completions.create(model=CHATS, messages=[{"role": "user", "content": "word " * 5000}])
    with pytest.raises(openai.AuthenticationError), OpenAI(base_url=server.url, api_key="wrong") as stranger:
        stranger.models.list()

    assert (unknown.value.code, refused.value.param) == ("model_not_found", "n")
    assert "context" in too_long.value.message


def test_a_model_of_another_kind_is_refused(ask):
    with pytest.raises(openai.BadRequestError):
        ask.chat.completions.create(**HELLO | {"model": EMBEDS})
    with pytest.raises(openai.BadRequestError):
        ask.embeddings.create(model=CHATS, input="text")


def test_who_leaves_in_mid_stream_has_the_task_cancelled(ask, state_of, until):
    stream = ask.chat.completions.create(**LONG_CHAT, stream=True)
    first = next(iter(stream))
    stream.close()

    until(lambda: state_of(first) is JobState.CANCELLED)


def test_who_leaves_before_the_answer_has_the_task_cancelled(ask, home, until):
    with pytest.raises(openai.APITimeoutError):
        ask.with_options(timeout=0.5).chat.completions.create(**LONG_CHAT)

    with Client() as client:
        until(lambda: client.jobs(limit=1)[0].state is JobState.CANCELLED)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_says_so_in_its_streams_and_ends_well(
    home, tmp_path, network, state_of, until, number
):
    with serving(tmp_path / "stopped.log", "--grace", "0") as server:
        ask = OpenAI(base_url=server.url, api_key=network[1], timeout=60, max_retries=0)
        stream = iter(ask.chat.completions.create(**LONG_CHAT, stream=True))
        first = next(stream)
        server.process.send_signal(number)
        with pytest.raises(openai.APIError) as told:
            list(stream)
        assert server.process.wait(30) == 0

    assert told.value.code == "server_stopping"
    until(lambda: state_of(first) is JobState.CANCELLED)


def test_a_server_that_is_stopped_lets_streams_end(home, tmp_path, network):
    with serving(tmp_path / "stopped.log", "--grace", "60") as server:
        ask = OpenAI(base_url=server.url, api_key=network[1], timeout=60, max_retries=0)
        stream = iter(ask.chat.completions.create(**LONG_CHAT, stream=True))
        chunks = [next(stream)]
        server.process.send_signal(signal.SIGTERM)
        chunks += stream

        assert chunks[-1].choices[0].finish_reason == "length"
        assert server.process.wait(30) == 0
