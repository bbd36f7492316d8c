"""onnxruntime-genai: the only module that imports it. Its telemetry is off because ``models`` is imported first.

Its generators hold the interpreter's lock while they compute, so that they belong into a model's own process.
"""

import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from models.need import CONTEXT_TOKENS
from models.on_gpu import CUDA, OnGpu
from models.runtime import CPU, first_line, import_engine
from starai.errors import BadInput, EngineMissing, ModelError
from starai.generation import ChatMessage, Options

#: The releases that this works with: the interface changes from one to the next.
RELEASE = "0.18"

_PACKAGE = "onnxruntime_genai"
_INSTALL = (
    "Install it: pip install 'starai[llm]' beside starai[cpu], or 'starai[llm-cuda]' beside starai[gpu]; there is none "
    "beside starai[directml]"
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Found:
    """The installed runtime: its distribution, its version, and the execution providers that it is built for."""

    flavour: str
    version: str
    providers: tuple[str, ...]


def find() -> Found:
    """Look for the runtime, and import it.

    Raises:
        EngineMissing: it is not installed or cannot be used; the message says what to install.
    """
    engine = _import_engine()
    flavour = _flavour()
    on = (CUDA, *CPU) if engine.is_cuda_available() else CPU
    return Found(flavour, metadata.version(flavour), on)


class LanguageModel:
    """A loaded language model. One thread at a time may use it.

    Args:
        folder: in the runtime's own form, with a ``genai_config.json``.
        threads: how many threads one step uses.
        gpu: where it runs; ``None`` for the processor.

    Attributes:
        context: how many tokens a text may have with its prompt: as many as the deployment plan has memory for in each
            slot, or fewer where the model can take no more.
        ends: the tokens that end a text.

    Raises:
        EngineMissing: the runtime is not installed, or does not run there.
        ModelError: it could not load the model.
    """

    def __init__(self, folder: Path, threads: int, gpu: OnGpu | None = None) -> None:
        self._engine = _import_engine()
        self.context = min(_context(folder), CONTEXT_TOKENS)
        self._model = _loaded(lambda: self._load(folder, threads, gpu))
        if gpu is not None and self._model.device_type.upper() == "CPU":
            raise EngineMissing(f"onnxruntime-genai loaded the model on the processor, not by {gpu.provider}.")
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
            raise BadInput(f"The model's chat template refuses the messages: {first_line(error)}") from error
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
            raise BadInput(f"The model cannot generate so: {first_line(error)}") from error

    def _load(self, folder: Path, threads: int, gpu: OnGpu | None) -> Any:
        config = self._engine.Config(str(folder))
        config.clear_providers()  # the processor
        if gpu is not None:
            _put_on(config, gpu)
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


def _put_on(config: Any, gpu: OnGpu) -> None:
    if gpu.genai is None:
        raise EngineMissing(f"Language models do not run by {gpu.provider}: only by {CUDA}, and on the processor.")
    name, options = gpu.genai
    config.append_provider(name)
    for option, value in options.items():
        config.set_provider_option(name, option, value)


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
    import_engine()  # first: it finds the libraries of CUDA for both
    version = metadata.version(_flavour())
    if not version.startswith(f"{RELEASE}."):
        raise EngineMissing(f"{_flavour()} {version} cannot be used: {RELEASE} is needed. {_INSTALL}")
    try:
        return importlib.import_module(_PACKAGE)
    except ImportError as error:
        raise EngineMissing(f"{_flavour()} cannot be imported: {error}. {_INSTALL}") from error


def _flavour() -> str:
    """Return the one distribution that is installed: like those of ONNX Runtime, the last one silently wins."""
    names = sorted(set(metadata.packages_distributions().get(_PACKAGE, [])))
    if not names:
        raise EngineMissing(f"The engine for language models, onnxruntime-genai, is not installed. {_INSTALL}")
    if len(names) > 1:
        raise EngineMissing(
            f"{len(names)} flavours of onnxruntime-genai are installed over one another: {', '.join(names)}. Remove "
            f"them all, then install one: pip uninstall {' '.join(names)}. {_INSTALL}"
        )
    return names[0]


def _loaded(load: Callable[[], _T]) -> _T:
    try:
        return load()
    except EngineMissing:
        raise
    except Exception as error:  # the runtime's errors have no common base of their own
        raise ModelError(f"The language model could not be loaded: {first_line(error)}") from error


def _ran(step: Callable[[], _T]) -> _T:
    try:
        return step()
    except Exception as error:  # the runtime's errors have no common base of their own
        raise ModelError(f"The model failed while it ran: {first_line(error)}") from error
