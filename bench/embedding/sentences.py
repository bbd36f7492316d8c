"""Sentences of mixed length, the same on every machine."""

import random
from pathlib import Path

_MEAN_LOG, _SIGMA = 3.0, 0.7  # log-normal: a median of 20 words, a mean of 26, one in twenty above 63
_LONGEST = 150


def sentences(count: int, seed: int = 1) -> list[str]:
    """Return that many texts of words from the project's licence, which never changes."""
    chosen = random.Random(seed)
    words = (Path(__file__).parents[2] / "LICENSE").read_text("utf-8").split()
    return [" ".join(chosen.choices(words, k=_length(chosen))) for _ in range(count)]


def _length(chosen: random.Random) -> int:
    return min(max(round(chosen.lognormvariate(_MEAN_LOG, _SIGMA)), 3), _LONGEST)
