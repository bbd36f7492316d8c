"""The sentences of a text, plain or Markdown."""

import re
from pathlib import Path

from starai.errors import BadInput

_CODE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"^[\s>#*|+-]+|[`*_|]|\[(?=[^\]]*\])|\]\([^)]*\)", re.MULTILINE)
_BREAK = re.compile(r"\n\s*\n|(?<=[.!?:])\s+(?=[A-Z0-9\"'(])|\n(?=\s*[-*|#+>]|\s*\d+\.)")
_FEWEST_WORDS = 4


def sentences(text: str) -> list[str]:
    """Return the text's sentences in their order, each once, without code blocks and marks, short ones left out."""
    pieces = (_MARKUP.sub("", piece) for piece in _BREAK.split(_CODE.sub("", text)))
    whole = (" ".join(piece.split()) for piece in pieces)
    return list(dict.fromkeys(piece for piece in whole if len(piece.split()) >= _FEWEST_WORDS))


def read_sentences(files: list[Path]) -> list[str]:
    """Return the sentences of all the files.

    Raises:
        BadInput: a file cannot be read as text, or there is no sentence in any.
    """
    found: list[str] = []
    for file in files:
        try:
            found += sentences(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{file} cannot be read as a text: {error}.") from error
    if not found:
        raise BadInput(f"There is no sentence in {', '.join(str(file) for file in files) or 'no file'}.")
    return list(dict.fromkeys(found))


def own_documents() -> list[Path]:
    """Return the project's own documents, where it was checked out rather than installed."""
    root = Path(__file__).parent.parent
    return [path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.exists()]
