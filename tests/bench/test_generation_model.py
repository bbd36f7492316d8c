"""The language model that the benchmark builds: it loads as any does, and says what it is to say."""

import onnx
import pytest

from bench.generation.model import NAME, model_folder, own_model
from bench.generation.recipe import Recipe
from bench.generation.tokenizer import silent_tokens, tokenizer
from models.catalogue import load_catalogue, own_models_file
from models.genai import LanguageModel
from models.generation import Generating
from models.store import ModelStore
from starai.generation import FinishReason, Options, Prompt

SMALL = Recipe(layers=2, hidden=64, wide=128, heads=4, kv_heads=2, context=256)


@pytest.fixture
def folder(tmp_path):
    return model_folder(SMALL, tmp_path / "kept")


def made(folder, prompt="The device", tokens=200):
    """Return what each step adds to a text, and the text."""
    generating = Generating(LanguageModel(folder, threads=1), Prompt(inputs=prompt, options=Options(max_tokens=tokens)))
    steps = []
    while generating.result is None:
        steps.append(generating.step())
    return steps, generating.result


def test_a_text_has_all_the_tokens_that_were_asked_for(folder):
    _, generated = made(folder)

    assert generated.tokens == 200
    assert generated.finish_reason is FinishReason.LENGTH


def test_each_token_of_a_text_can_be_read(folder):
    steps, generated = made(folder)

    assert len(list(filter(None, steps))) == generated.tokens


def test_a_text_follows_its_prompt_and_varies(folder):
    one, other = made(folder, "The device")[0], made(folder, "To bake a loaf")[0]

    assert one != other
    assert len(set(one)) > 10


def test_the_same_recipe_is_the_same_model_everywhere(folder, tmp_path):
    again = model_folder(SMALL, tmp_path / "elsewhere")

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        file.name: file.read_bytes() for file in again.iterdir()
    }


def test_a_model_is_built_once_and_gives_way_to_another_recipe(folder):
    (folder / "mark").touch()

    assert (model_folder(SMALL, folder.parent) / "mark").exists()
    other = model_folder(SMALL._replace(seed=2), folder.parent)
    assert other != folder
    assert list(folder.parent.iterdir()) == [other]


def test_its_parameters_are_what_its_graph_holds(folder):
    weights = {one.name: one for one in onnx.load(folder / "model.onnx").graph.initializer}
    bits = sum(2 * len(one.raw_data) for name, one in weights.items() if name.endswith(".bits"))
    others = sum(len(one.raw_data) // 4 for name, one in weights.items() if name.endswith((".weight", "embedding")))

    assert SMALL.parameters == bits + others


def test_the_benchmark_has_more_than_a_hundred_million():
    assert Recipe().parameters > 100_000_000
    assert Recipe().vocabulary == tokenizer().get_vocab_size()


def test_what_ends_a_text_is_silent(folder):
    assert LanguageModel(folder, threads=1).ends <= set(silent_tokens())


def test_a_device_gets_it_as_a_model_of_its_owner(folder):
    own_models_file().parent.mkdir(parents=True)
    own_models_file().write_text(own_model(SMALL, folder), "utf-8")

    entry = load_catalogue().get(NAME)

    assert made(ModelStore().ensure(entry))[0] == made(folder)[0]
