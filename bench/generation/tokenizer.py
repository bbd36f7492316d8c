"""The tokenizer that the benchmark's model speaks with: that of the small models of the tests."""

from pathlib import Path

from tokenizers import Tokenizer

_TINY = Path(__file__).parents[2] / "tests" / "models" / "tiny" / "tiny-llama"
#: What belongs to it, and to the folder of a model that speaks with it.
FILES = tuple(_TINY / name for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"))
#: A configuration of the runtime's for a model with this tokenizer, of other sizes.
CONFIG = _TINY / "genai_config.json"


def tokenizer() -> Tokenizer:
    """Read it."""
    return Tokenizer.from_file(str(FILES[0]))


def silent_tokens() -> list[int]:
    """Return the tokens that are no text by themselves: special ones, parts of characters, what cannot be seen."""
    known = tokenizer()
    special = known.get_added_tokens_decoder()
    return [token for token in range(known.get_vocab_size()) if token in special or not _is_text(known.decode([token]))]


def _is_text(text: str) -> bool:
    return text.isprintable() and "\ufffd" not in text and text != ""
