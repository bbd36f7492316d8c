"""Texts that real, small language models make, a step at a time, in this process."""

import json
import re
from functools import cache

import pytest

from models.genai import LanguageModel
from models.generation import CHUNK, Generating
from starai.errors import BadInput, EngineMissing
from starai.generation import ChatMessage, FinishReason, Guidance, GuidanceKind, Options, Prompt
from tests.models.tiny_models import ANSWERS, MOST, NAMES, TINY

LONG = "The network gives each task to a device that is well. " * 12


@cache
def model(name: str = "tiny-llama") -> LanguageModel:
    return LanguageModel(TINY / name, threads=1)


def begin(inputs, name="tiny-llama", **options):
    return Generating(model(name), Prompt(inputs=inputs, options=Options(**options)))


def pieces(generating):
    """Return what each step adds to the text, to its end."""
    found = []
    while generating.result is None:
        found.append(generating.step())
    return found


def text(inputs, name="tiny-llama", **options):
    generating = begin(inputs, name, **options)
    pieces(generating)
    return generating.result


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda row: f"{row['model']}-{row['name']}")
def test_a_text_is_what_the_original_model_makes(answer):
    made = text([ChatMessage(**m) for m in answer["messages"]] or answer["prompt"], answer["model"], max_tokens=MOST)

    assert made.text == answer["text"]
    assert (made.prompt_tokens, made.tokens) == (len(answer["prompt_tokens"]), len(answer["tokens"]))
    assert made.finish_reason is (FinishReason.LENGTH if made.tokens == MOST else FinishReason.STOP)


@pytest.mark.parametrize("name", NAMES)
def test_the_pieces_are_the_text(name):
    generating = begin("Le café, 今天, 🦊", name, max_tokens=40, temperature=1.5, seed=1)

    assert "".join(pieces(generating)) == generating.result.text


def test_a_long_prompt_is_read_in_parts_and_changes_nothing():
    generating = begin(LONG, max_tokens=8)
    steps = len(pieces(generating))

    assert generating.result.prompt_tokens > 2 * CHUNK
    assert steps == 8 + -(-generating.result.prompt_tokens // CHUNK)


def test_the_same_seed_draws_the_same_text_and_another_another():
    drawn = [text("The broker", max_tokens=20, temperature=1.0, seed=seed).text for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]


def test_the_likeliest_token_alone_is_drawn_where_top_k_is_one():
    assert text("The broker", temperature=2.0, top_k=1, max_tokens=20).text == text("The broker", max_tokens=20).text


def test_a_text_ends_before_its_stop_string():
    whole = text("The broker", max_tokens=20).text
    stop = whole[10:13]

    made = text("The broker", max_tokens=20, stop=["never", stop])

    assert made.text == whole[: whole.index(stop)]
    assert made.finish_reason is FinishReason.STOP


def test_a_text_follows_a_schema():
    schema = {"type": "object", "properties": {"a": {"enum": ["yes", "no"]}}, "required": ["a"]}
    schema["additionalProperties"] = False

    made = text("?", max_tokens=60, guidance=Guidance(kind=GuidanceKind.JSON_SCHEMA, text=json.dumps(schema)))

    assert json.loads(made.text)["a"] in ("yes", "no")


def test_a_text_follows_a_regular_expression():
    made = text("?", max_tokens=10, guidance=Guidance(kind=GuidanceKind.REGEX, text="[0-9]{3}-[a-f]"))

    assert re.fullmatch("[0-9]{3}-[a-f]", made.text)


def test_a_schema_that_is_none_is_bad_input():
    with pytest.raises(BadInput, match="cannot generate so"):
        begin("?", guidance=Guidance(kind=GuidanceKind.JSON_SCHEMA, text="{{"))


def test_a_text_ends_where_the_context_does():
    made = text("word " * 680, max_tokens=32_768, temperature=2.0, seed=1)

    assert made.prompt_tokens + made.tokens <= model().context
    assert made.finish_reason in FinishReason


@pytest.mark.parametrize(("inputs", "reason"), [("", "empty"), ("word " * 3000, "context is 2,048")])
def test_a_prompt_that_is_none_or_too_long_is_bad_input(inputs, reason):
    with pytest.raises(BadInput, match=reason):
        begin(inputs)


def test_times_are_told():
    made = text("The broker", max_tokens=5)

    assert 0 < made.first_token_seconds <= made.seconds < 10


def test_without_the_engine_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime_genai", None)

    with pytest.raises(EngineMissing, match=r"starai\[llm\]"):
        LanguageModel(TINY / "tiny-llama", threads=1)
