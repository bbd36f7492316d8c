"""What is asked of the model, and what is measured of a text that it makes."""

import random
from pathlib import Path
from typing import NamedTuple

from bench.generation.tokenizer import tokenizer
from starai import Options


class Question(NamedTuple):
    """A prompt, and how many tokens are to follow it."""

    prompt: str
    tokens: int

    @property
    def options(self) -> Options:
        """The likeliest token each time: the same question has the same text both ways."""
        return Options(max_tokens=self.tokens)


class Timed(NamedTuple):
    """A text, and the seconds that it took whoever asked for it.

    Attributes:
        first: seconds to the first piece of it; ``seconds``: to its end.
        own_first: seconds to its first token as the model's process measured them; ``own_seconds``: to its last one.
        pieces: in how many parts it came.
        reports: how often something else was said of it: that it began, that it goes on, how it ended.
    """

    text: str
    prompt_tokens: int
    tokens: int
    first: float
    seconds: float
    own_first: float
    own_seconds: float
    pieces: int
    reports: int = 0

    @property
    def on_the_way(self) -> float:
        """Seconds that the first piece took besides what the model's process took to its first token."""
        return self.first - self.own_first


def questions(count: int, most: int, tokens: int, seed: int = 1) -> list[Question]:
    """Return that many, the same on every machine.

    Args:
        count: how many.
        most: tokens that no prompt exceeds, and that the next word would exceed.
        tokens: of the text.
        seed: what the words are drawn by.
    """
    chosen, known = random.Random(seed), tokenizer()
    words = (Path(__file__).parents[2] / "LICENSE").read_text("utf-8").split()
    asked = []
    for _ in range(count):
        prompt = "The"
        while len(known.encode(longer := f"{prompt} {chosen.choice(words)}").ids) <= most:
            prompt = longer
        asked.append(Question(prompt, tokens))
    return asked
