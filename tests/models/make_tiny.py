"""Makes the folder ``tiny``: two small language models for onnxruntime-genai, and what they answer.

``tiny-llama`` and ``tiny-phi3`` have the architecture, the special tokens and the chat template of their families,
random weights in float32, a vocabulary of 512 tokens learned from a page of text, and room for 2048 tokens. What
they say means nothing; it depends on every token of the prompt, and it is text: no special token but those that end
an answer, no half character. ``reference.json`` holds what transformers answers to a few prompts. The two engines
are compared on all of them here: a folder is written only if onnxruntime-genai renders the same chat, finds the same
tokens in the prompt and gives the same answer.

Run once, in an environment of its own; the project needs onnxruntime-genai alone:

    pip install onnxruntime-genai==0.18.0 onnxruntime==1.32.0 onnx==1.23.2 onnx-ir==1.1.0
    pip install torch==2.13.0 transformers==5.23.0 tokenizers==0.23.3
    python -m tests.models.make_tiny

With these packages it writes the same bytes again.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import NamedTuple

# Read when the engine is imported, here and by its builder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tests.models.tiny_build.answers import Answer, answers
from tests.models.tiny_build.engine import Built, build
from tests.models.tiny_build.families import FAMILIES, Family
from tests.models.tiny_build.text import MOST_TOKENS

_TINY = Path(__file__).with_name("tiny")
_PACKAGES = ("onnxruntime-genai", "onnxruntime", "torch", "transformers", "tokenizers", "onnx", "onnx-ir")
_MOST_BYTES = 1_000_000


class Original(NamedTuple):
    """A model as transformers has it, and its answers."""

    seed: int
    tokenizer: PreTrainedTokenizerFast
    model: PreTrainedModel
    answers: list[Answer]


def main() -> None:
    """Write both folders, and the reference beside them."""
    torch.set_num_threads(1)
    originals = {name: _original(family) for name, family in FAMILIES.items()}
    for name, original in originals.items():
        with tempfile.TemporaryDirectory() as work:
            built = _built(original, Path(work))
            _require_equal(original.answers, Built(built))
            shutil.rmtree(_TINY / name, ignore_errors=True)
            shutil.copytree(built, _TINY / name)
    (_TINY / "reference.json").write_text(_reference(originals), "utf-8")


def _original(family: Family) -> Original:
    """Return the model of the first seed whose answers are a good reference."""
    tokenizer = family.tokenizer()
    for seed in count():
        model = family.weights(tokenizer, seed)
        if found := answers(tokenizer, model):
            return Original(seed, tokenizer, model, found)
    raise AssertionError("seeds do not end")


def _built(original: Original, work: Path) -> Path:
    source, built = work / "source", work / "built"
    original.model.save_pretrained(source)
    original.tokenizer.save_pretrained(source)
    build(source, built, work / "cache")
    size = sum(file.stat().st_size for file in built.iterdir())
    if size >= _MOST_BYTES:
        raise ValueError(f"{size} bytes are too many for a repository")
    return built


def _require_equal(expected: Sequence[Answer], model: Built) -> None:
    for answer in expected:
        prompt = model.render(json.dumps(answer.messages)) if answer.messages else answer.prompt
        tokens = model.answer(model.encode(prompt), MOST_TOKENS)
        got = (prompt, model.encode(prompt), tokens, model.decode(tokens))
        if got != (answer.prompt, answer.prompt_tokens, answer.tokens, answer.text):
            raise ValueError(f"The engines differ on the prompt {answer.name!r}: {got} is not {answer}")


def _reference(originals: dict[str, Original]) -> str:
    """Return JSON with one answer in a line."""
    about = {
        "packages": {name: version(name) for name in _PACKAGES},
        "seeds": {name: original.seed for name, original in originals.items()},
    }
    rows = [
        json.dumps({"model": name, **answer._asdict()}, ensure_ascii=False)
        for name, original in originals.items()
        for answer in original.answers
    ]
    return json.dumps(about, indent=1)[:-2] + ',\n "answers": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n"


if __name__ == "__main__":
    main()
