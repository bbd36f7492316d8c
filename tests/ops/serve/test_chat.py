"""What a request for a chat asks of the network, and how a text is answered in OpenAI's form."""

import json

import pytest

from ops.serve.chat import read_chat
from ops.serve.form import ChatForm, Heading
from ops.serve.refusal import Refusal
from starai.generation import ChatMessage, FinishReason, Generated, GuidanceKind, Options

HELLO = {"model": "phi3-3.8b", "messages": [{"role": "user", "content": "Hello"}]}
HEADING = Heading("task-1", 1_700_000_000, "phi3-3.8b")
MADE = Generated(
    text="Hi.", finish_reason=FinishReason.LENGTH, prompt_tokens=5, tokens=2, first_token_seconds=0.1, seconds=0.2
)


def asked(**more):
    return read_chat(HELLO | more, 1024)


def refused(data):
    with pytest.raises(Refusal) as caught:
        read_chat(data, 1024)
    assert caught.value.status == 400
    return caught.value


def test_a_plain_request_has_the_temperature_of_openai_and_as_many_tokens_as_the_server_says():
    found = asked()

    assert found.options == Options(temperature=1.0, max_tokens=1024)
    assert (found.model, found.inputs) == ("phi3-3.8b", [ChatMessage(role="user", content="Hello")])
    assert (found.stream, found.with_usage) == (False, False)


def test_every_parameter_of_the_text_reaches_the_network():
    found = asked(max_completion_tokens=7, temperature=0, top_p=0.5, top_k=3, seed=2**40 + 9, stop=["\n", "END"])

    assert found.options == Options(max_tokens=7, temperature=0, top_p=0.5, top_k=3, seed=9, stop=["\n", "END"])
    assert asked(max_tokens=8, stop="END").options == Options(max_tokens=8, temperature=1, stop=["END"])


def test_the_same_seed_is_the_same_whatever_its_sign():
    assert asked(seed=-1).options.seed == asked(seed=-1).options.seed == 2**31 - 1


def test_a_stream_may_end_with_the_numbers_of_tokens():
    found = asked(stream=True, stream_options={"include_usage": True})

    assert (found.stream, found.with_usage) == (True, True)
    assert refused(HELLO | {"stream_options": {"include_usage": True}}).param == "stream_options"


def test_texts_may_come_in_parts_and_a_developer_is_the_system():
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    found = asked(messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}])

    assert found.inputs == [
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content="One.\nTwo."),
    ]


def test_an_answer_may_be_sent_back_as_a_part_of_the_conversation():
    answer = ChatForm().whole(HEADING, MADE)["choices"][0]["message"]

    found = asked(messages=[*HELLO["messages"], answer | {"tool_calls": None, "annotations": []}])

    assert found.inputs[1] == ChatMessage(role="assistant", content="Hi.")


def test_a_text_may_have_to_be_json_or_to_follow_a_schema():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    named = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    guidance = asked(response_format=named).options.guidance

    assert (guidance.kind, json.loads(guidance.text)) == (GuidanceKind.JSON_SCHEMA, schema)
    assert asked(response_format={"type": "text"}).options.guidance is None
    assert json.loads(asked(response_format={"type": "json_object"}).options.guidance.text) == {"type": "object"}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"store": True}, "store"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"temprature": 0}, "temprature"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": 2.5}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 10**6}, "max_completion_tokens"),
        ({"max_completion_tokens": 5, "max_tokens": 5}, "max_tokens"),
        ({"stop": ["a"] * 9}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"seed": 1.5}, "seed"),
        ({"stream": "yes"}, "stream"),
        ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "4"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "a", "name": "ann"}]}, "messages[0].name"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0]",
        ),
        ({"model": None}, "model"),
    ],
)
def test_what_is_not_served_is_refused_by_its_name(more, param):
    refusal = refused(HELLO | more)

    assert refusal.param == param
    assert param.split(".")[0].split("[")[0] in refusal.message


def test_what_asks_for_nothing_is_taken():
    nothing = {
        "n": 1,
        "user": "ann",
        "metadata": {"a": "b"},
        "store": False,
        "service_tier": "auto",
        "parallel_tool_calls": True,
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logprobs": False,
        "logit_bias": None,
        "tools": None,
        "stop": None,
        "response_format": None,
    }

    assert asked(**nothing).options == asked().options


def test_no_refusal_repeats_what_a_message_holds():
    refusal = refused(HELLO | {"messages": [{"role": "user", "content": 7, "secret words": "hunter2"}]})

    assert "hunter2" not in refusal.message


def test_a_whole_answer_has_the_form_of_openai():
    assert ChatForm().whole(HEADING, MADE) == {
        "id": "chatcmpl-task-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "phi3-3.8b",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi.", "refusal": None},
                "logprobs": None,
                "finish_reason": "length",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


def test_a_stream_begins_with_whose_turn_it_is_and_ends_with_why():
    form = ChatForm()
    chunks = [*form.opening(HEADING), form.piece(HEADING, "Hi"), form.end(HEADING, FinishReason.STOP)]

    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hi"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]
    assert {(chunk["id"], chunk["object"]) for chunk in chunks} == {("chatcmpl-task-1", "chat.completion.chunk")}


def test_the_chunk_with_the_numbers_of_tokens_has_no_text():
    chunk = ChatForm().usage(HEADING, MADE)

    assert (chunk["choices"], chunk["usage"]["total_tokens"]) == ([], 7)
