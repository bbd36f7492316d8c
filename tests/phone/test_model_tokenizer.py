"""The phones' tokenizer gives every text the tokens that other devices give it."""

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.models.conftest import StoredModel
from tests.phone.make_characters import CHARACTERS, characters
from tests.phone.make_graphs import GRAPHS, graphs
from tests.phone.typescript import TypeScript

_MOST = 0x110000
_POOLS = (
    range(32, 127),
    range(0x250),
    [*range(0x300, 0x370), *range(97, 123)],
    range(0x370, 0x600),
    range(0x600, 0x3000),
    range(0x3000, 0xD800),
    range(0xE000, 0x10000),
    range(0x10000, 0x20000),
    range(0x20000, 0x30000),
    range(0xE000, _MOST),
)
_ODD = [
    "[CLS]",
    "[MASK]",
    "[",
    "[UNK]]",
    "ΑΣ",
    "Σ ",
    "ﬁ",
    "İ",
    "ẞ",
    "a" * 100,
    "a" * 101,
    "e\u0301\u0323",
    "\u2000",
    "한",
]


@pytest.fixture(scope="module")
def file(minilm: StoredModel) -> Path:
    return minilm.folder / "tokenizer.json"


def on_phones(file: Path, longest: int, texts: list[str]) -> list[list[int]]:
    """Return the texts' tokens as a phone makes them."""
    with TypeScript("model/tokenizer.ts") as node:
        code = "const made = new Tokenizer(json, longest); return texts.map((text) => made.encode(text));"
        return list(node.run(code, json=file.read_text("utf-8"), longest=longest, texts=texts))


def elsewhere(file: Path, longest: int, texts: list[str]) -> list[list[int]]:
    """Return the texts' tokens as all other devices make them."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def differing(file: Path, longest: int, texts: list[str]) -> list[str]:
    """Return the texts that are other tokens on phones."""
    found = zip(texts, on_phones(file, longest, texts), elsewhere(file, longest, texts), strict=True)
    return [text for text, ours, theirs in found if ours != theirs]


def test_random_texts_have_the_same_tokens(file: Path):
    chosen = random.Random(3)
    assert differing(file, 256, [_text(chosen) for _ in range(5000)]) == []


def _text(chosen: random.Random) -> str:
    return "".join(_part(chosen) for _ in range(chosen.choice((0, 1, 3, 10, 40, 400))))


def _part(chosen: random.Random) -> str:
    if chosen.random() < 0.05:
        return chosen.choice(_ODD)
    return chr(chosen.choice(chosen.choice(_POOLS) if chosen.random() < 0.5 else _POOLS[0]))


def test_every_character_is_the_same_tokens_within_a_word(file: Path):
    points = [point for point in range(_MOST) if not 0xD800 <= point < 0xE000]
    chosen = [
        *points[:0x3400],
        *points[0x9F00:0xAC10],
        *random.Random(4).sample(points, 10_000),
        *points[0x1E000:0x1F000],
    ]
    assert differing(file, 256, [f"a{chr(point)}b" for point in chosen]) == []


def test_texts_are_cut_off_at_the_longest_input(file: Path):
    texts = ["river " * count for count in (1, 5, 6, 7, 100)]
    assert differing(file, 8, texts) == []
    assert max(map(len, on_phones(file, 8, texts))) == 8


def test_the_tables_of_characters_are_those_of_the_other_devices_tokenizer():
    assert CHARACTERS.read_text("utf-8") == characters(), "Make it anew: python -P -m tests.phone.make_characters"


def test_the_benchmarks_graphs_are_made_of_the_other_devices_graph():
    assert GRAPHS.read_text("utf-8") == graphs(), "Make it anew: python -P -m tests.phone.make_graphs"
