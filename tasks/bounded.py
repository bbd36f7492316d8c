"""JSON from strangers that is kept: nothing in it that a database, a browser or a reader could not hold."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, JsonValue

#: How deep lists and objects may lie in each other.
MAX_DEPTH = 8

# The largest whole number that every reader of JSON gets right (RFC 8259, section 6).
_LARGEST = 2**53
# PostgreSQL's text has no NUL, UTF-8 no surrogates.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


def _bounded(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for depth, part in _parts(value, 1):
        if depth > MAX_DEPTH:
            raise ValueError("too deep")
        if isinstance(part, float | int) and not -_LARGEST <= part <= _LARGEST:  # nor is NaN
            raise ValueError("a number is too large")
        if isinstance(part, str) and _UNKEEPABLE.search(part):
            raise ValueError("a text has a character that cannot be kept")
    return value


def _parts(value: JsonValue, depth: int) -> Iterator[tuple[int, JsonValue]]:
    """Go through the value and what is in it, no deeper than one step too deep."""
    yield depth, value
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield depth, key
            yield from _parts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner, depth + 1)


#: A JSON object within these bounds.
BoundedObject = Annotated[dict[str, JsonValue], AfterValidator(_bounded)]
