"""The two small language models: this machine's engine says what their originals said."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Read when the engine is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from tests.models.tiny_build.engine import Built
from tests.models.tiny_build.text import MOST_TOKENS

TINY = Path(__file__).with_name("tiny")
ANSWERS: list[dict[str, Any]] = json.loads((TINY / "reference.json").read_text("utf-8"))["answers"]
NAMES = ("tiny-llama", "tiny-phi3")

each_answer = pytest.mark.parametrize("answer", ANSWERS, ids=lambda row: f"{row['model']}-{row['name']}")
each_model = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def built() -> Iterator[dict[str, Built]]:
    """Both models, loaded."""
    built = {name: Built(TINY / name) for name in NAMES}
    yield built
    built.clear()  # the engine complains about models that are alive when the process ends


def of_model(name: str) -> list[dict[str, Any]]:
    return [answer for answer in ANSWERS if answer["model"] == name]


@each_answer
def test_an_engine_gives_the_answer_of_the_original(answer: dict[str, Any], built: dict[str, Built]):
    model = built[answer["model"]]
    tokens = model.answer(answer["prompt_tokens"], MOST_TOKENS)
    assert tokens == answer["tokens"]
    assert model.decode(tokens) == answer["text"]


@each_answer
def test_a_prompt_has_the_tokens_of_the_original(answer: dict[str, Any], built: dict[str, Built]):
    assert built[answer["model"]].encode(answer["prompt"]) == answer["prompt_tokens"]


@pytest.mark.parametrize("answer", [row for row in ANSWERS if row["messages"]], ids=lambda row: row["model"])
def test_a_chat_is_rendered_as_the_original_does(answer: dict[str, Any], built: dict[str, Built]):
    assert built[answer["model"]].render(json.dumps(answer["messages"])) == answer["prompt"]


@each_model
def test_some_answers_end_by_themselves_and_others_are_cut_off(name: str):
    ends = json.loads((TINY / name / "genai_config.json").read_text("utf-8"))["model"]["eos_token_id"]
    assert {answer["tokens"][-1] in ends for answer in of_model(name)} == {True, False}
    assert all(answer["tokens"][-1] in ends or len(answer["tokens"]) == MOST_TOKENS for answer in of_model(name))


@each_model
def test_what_a_model_says_depends_on_the_prompt_and_varies(name: str):
    answers = [answer["tokens"] for answer in of_model(name)]
    assert len({tuple(answer) for answer in answers}) == len(answers)
    assert min(len(set(answer)) for answer in answers) >= 8


@each_model
def test_a_model_is_small_enough_for_a_repository(name: str):
    assert sum(file.stat().st_size for file in (TINY / name).iterdir()) < 1_000_000


@pytest.mark.process
def test_no_telemetry_appears(tmp_path: Path):
    """In a process with a home of its own, which the engine leaves empty."""
    code = (
        "import sys, models; from pathlib import Path; from tests.models.tiny_build.engine import Built\n"
        "print(len(Built(Path(sys.argv[1])).answer([7, 8, 9], 4)))"
    )
    variables = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        variables[name] = str(tmp_path)
    command = [sys.executable, "-c", code, str(TINY / NAMES[0])]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4"
    assert list(tmp_path.rglob("*")) == []
