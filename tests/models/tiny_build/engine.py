"""onnxruntime-genai: its builder, and what a built model answers."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import onnxruntime_genai

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def build(source: Path, folder: Path, cache: Path) -> None:
    """Turn a model in the format of transformers into a folder that onnxruntime-genai loads."""
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
    command += ["-i", str(source), "-o", str(folder), "-p", "fp32", "-e", "cpu", "-c", str(cache)]
    subprocess.run(command, check=True, env=os.environ | _OFFLINE, stdout=subprocess.DEVNULL)


class Built:
    """A loaded model."""

    def __init__(self, folder: Path) -> None:
        self._model = onnxruntime_genai.Model(str(folder))
        self._tokenizer = onnxruntime_genai.Tokenizer(self._model)

    def render(self, messages: str) -> str:
        """Return the prompt of a chat whose messages are given as JSON."""
        prompt: str = self._tokenizer.apply_chat_template(messages=messages, add_generation_prompt=True)
        return prompt

    def encode(self, text: str) -> list[int]:
        """Return the text's tokens."""
        return [int(token) for token in self._tokenizer.encode(text)]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the tokens' text, put together token by token as a stream is."""
        stream = self._tokenizer.create_stream()
        return "".join(stream.decode(token) for token in tokens)

    def answer(self, prompt: Sequence[int], most: int) -> list[int]:
        """Return the likeliest tokens, one by one, up to the one that ends the answer."""
        params = onnxruntime_genai.GeneratorParams(self._model)
        params.set_search_options(do_sample=False, max_length=len(prompt) + most)
        generator = onnxruntime_genai.Generator(self._model, params)
        generator.append_tokens(list(prompt))
        tokens = []
        while not generator.is_done():
            generator.generate_next_token()
            tokens.append(int(generator.get_next_tokens()[0]))
        return tokens
