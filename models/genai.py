"""onnxruntime-genai: the only module that imports it. Its telemetry is off because ``models`` is imported first.

Its generators hold the interpreter's lock while they compute, so that they belong into a model's own process.
"""

import importlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from models.runtime import flavours, require_one
from starai.errors import BadInput, EngineMissing, ModelError
from starai.generation import ChatMessage, Options

_T = TypeVar("_T")


class LanguageModel:
    """A loaded language model. One thread at a time may use it.

    Args:
        folder: in the runtime's own form, with a ``genai_config.json``.
        threads: how many threads one step uses.

    Raises:
        EngineMissing: the runtime is not installed.
        ModelError: it could not load the model.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self._engine = _import_engine()
        self.context = _context(folder)
        self._model = _loaded(lambda: self._load(folder, threads))
        self._tokenizer = _loaded(lambda: self._engine.Tokenizer(self._model))
        self.ends = frozenset(int(token) for token in self._tokenizer.eos_token_ids)

    def chat(self, messages: Sequence[ChatMessage]) -> str:
        """Return a conversation as the model's own template writes it, up to where its answer begins.

        Raises:
            BadInput: the model has no template, or it refuses these messages.
        """
        try:
            written: str = self._tokenizer.apply_chat_template(
                json.dumps([message.model_dump() for message in messages]), add_generation_prompt=True
            )
        except Exception as error:  # the runtime's errors have no common base of their own
            raise BadInput(f"The model's chat template refuses the messages: {_first_line(error)}") from error
        return written

    def encode(self, text: str) -> list[int]:
        """Return the text's tokens."""
        return [int(token) for token in self._tokenizer.encode(text)]

    def decoder(self) -> Callable[[int], str]:
        """Return a function that gives the text of one token after the other; empty while a character is not whole."""
        decode: Callable[[int], str] = self._tokenizer.create_stream().decode
        return decode

    def generator(self, longest: int, options: Options) -> "Generator":
        """Return what generates up to ``longest`` tokens, prompt and all.

        Raises:
            BadInput: the runtime refuses the options, a schema that is none for example.
        """
        params = self._engine.GeneratorParams(self._model)
        try:
            params.set_search_options(**_search(longest, options))
            if options.guidance:
                params.set_guidance(str(options.guidance.kind), options.guidance.text)
            return Generator(self._engine.Generator(self._model, params))
        except Exception as error:  # the runtime's errors have no common base of their own
            raise BadInput(f"The model cannot generate so: {_first_line(error)}") from error

    def _load(self, folder: Path, threads: int) -> Any:
        config = self._engine.Config(str(folder))
        config.clear_providers()  # the processor
        session = {"intra_op_num_threads": threads, "session.intra_op.allow_spinning": "0"}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": session}}}))
        return self._engine.Model(config)


class Generator:
    """One text under way, token by token."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def take_in(self, tokens: Sequence[int]) -> None:
        """Let the model read more of the prompt."""
        _ran(lambda: self._generator.append_tokens(np.array(tokens, np.int32)))

    def next(self) -> int:
        """Return the next token."""

        def step() -> int:
            self._generator.generate_next_token()
            return int(self._generator.get_next_tokens()[0])

        return _ran(step)


def _context(folder: Path) -> int:
    """Return how many tokens the model can take, prompt and all."""
    try:
        context: int = json.loads((folder / "genai_config.json").read_text("utf-8"))["model"]["context_length"]
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no genai_config.json in {folder}: the model is not in the form that onnxruntime-genai runs. "
            "docs/models.md says how one is built."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The genai_config.json in {folder} cannot be read: {error}. Fetch the model anew.") from error
    return context


def _search(longest: int, options: Options) -> dict[str, Any]:
    search: dict[str, Any] = {"max_length": longest, "batch_size": 1, "num_beams": 1}
    if options.temperature == 0:
        return search | {"do_sample": False}
    search |= {"do_sample": True, "temperature": options.temperature, "top_p": options.top_p}
    search["top_k"] = options.top_k or 0  # 0: all
    if options.seed is not None:
        search["random_seed"] = options.seed
    return search


def _import_engine() -> Any:
    require_one(flavours())
    try:
        return importlib.import_module("onnxruntime_genai")
    except ImportError as error:
        raise EngineMissing(
            f"The engine for language models cannot be used: {error}. Install it: pip install 'starai[llm]'"
        ) from error


def _loaded(load: Callable[[], _T]) -> _T:
    try:
        return load()
    except Exception as error:  # the runtime's errors have no common base of their own
        raise ModelError(f"The language model could not be loaded: {_first_line(error)}") from error


def _ran(step: Callable[[], _T]) -> _T:
    try:
        return step()
    except Exception as error:  # the runtime's errors have no common base of their own
        raise ModelError(f"The model failed while it ran: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
