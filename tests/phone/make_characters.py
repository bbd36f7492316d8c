"""Makes ``ops/phone/page/src/model/characters.ts``: how BERT's tokenizer sees characters, on every phone alike.

    python -P -m tests.phone.make_characters

Browsers know Unicode in versions of their own; the tokenizer of all other devices goes by the tables built into it.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

CHARACTERS = Path(__file__).parents[2] / "ops" / "phone" / "page" / "src" / "model" / "characters.ts"

_HEAD = """/**
 * How BERT's tokenizer sees characters: ranges for a pattern, with the flag `u`.
 *
 * Made by tests/phone/make_characters.py from the tokenizer of other devices; a browser knows another Unicode.
 */
"""
_LINE = 100
_END, _BLOCK = 0x110000, 0x100

#: Tells something of a text.
Test = Callable[[str], bool]


def characters() -> str:
    """Return the file's text."""
    tables = (
        ("Dropped.", "CONTROL", _by(_CLEANED, lambda _, made: made == "")),
        ("As a space.", "SPACE", _by(_CLEANED, lambda _, made: made == " ")),
        ("A word each.", "CHINESE", _by(_SPACED, lambda given, made: made != given)),
        ("Accents, which are dropped.", "MARK", _by(_STRIPPED, lambda _, made: made == "")),
        ("A word each, that ends the one before.", "PUNCTUATION", (_splits, _splits)),
    )
    return _HEAD + "".join(_constant(says, name, *tests) for says, name, tests in tables)


def _by(normalizer: BertNormalizer, belongs: Callable[[str, str], bool]) -> tuple[Test, Test]:
    """Return what tells whether a text is touched, and whether a character belongs to the table."""
    return (
        lambda text: normalizer.normalize_str(text) != text,
        lambda character: belongs(character, normalizer.normalize_str(character)),
    )


def _splits(text: str) -> bool:
    return len(_SPLIT.pre_tokenize_str(f"a{''.join(text.split())}a")) > 2


def _bert(**chosen: bool) -> BertNormalizer:
    nothing = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return BertNormalizer(**nothing | chosen)


_CLEANED, _SPACED, _STRIPPED = _bert(clean_text=True), _bert(handle_chinese_chars=True), _bert(strip_accents=True)
_SPLIT = BertPreTokenizer()


def _constant(says: str, name: str, touches: Test, belongs: Test) -> str:
    lines = [""]
    for part in map(_part, _ranges(touches, belongs)):
        if len(lines[-1]) + len(part) > _LINE:
            lines.append("")
        lines[-1] += part
    text = " +\n".join(f'  "{line}"' for line in lines)
    return f"\n/** {says} */\nexport const {name} =\n{text};\n"


def _ranges(touches: Test, belongs: Test) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of those that belong, a range after the other; a block at a time, for speed."""
    found: list[int] = []
    for block in range(0, _END, _BLOCK):
        characters = [chr(point) for point in range(block, block + _BLOCK) if not 0xD800 <= point < 0xE000]
        if touches("".join(characters)):
            found += [ord(character) for character in characters if belongs(character)]
    for _, numbered in groupby(enumerate(found), lambda one: one[1] - one[0]):
        points = [point for _, point in numbered]
        yield points[0], points[-1]


def _part(bounds: tuple[int, int]) -> str:
    first, last = (f"\\\\u{{{point:x}}}" for point in bounds)
    return first if first == last else f"{first}-{last}"


if __name__ == "__main__":
    CHARACTERS.write_text(characters(), "utf-8")
