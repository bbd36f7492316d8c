"""What a host and its model's process say to each other: what is asked, pieces of an answer, how it ended."""

import json
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.frames import read_frame, write_frame
from starai.errors import (
    BadInput,
    EngineMissing,
    ModelCorrupt,
    ModelError,
    ModelNotFound,
    ModelUnavailable,
    StarAIError,
)
from starai.generation import Generated, Prompt

Rows = NDArray[np.float32]
#: Arrays by their names, each as it is sent.
Arrays = dict[str, NDArray[Any]]
#: What a model makes of it.
Made = Rows | Generated | Arrays
#: What is asked of a model: texts that are to become rows, a prompt that a text is to go on from, or arrays.
Asked = list[str] | Prompt | Arrays

#: The process's first answer has this id: the model is loaded, or why it is not.
LOADED = 0

_ERRORS: dict[str, type[StarAIError]] = {
    error.__name__: error
    for error in (BadInput, ModelError, ModelCorrupt, ModelUnavailable, ModelNotFound, EngineMissing)
}


class Request(NamedTuple):
    """Somebody waits for what a model makes of that."""

    id: int
    asked: Asked


class Withdrawal(NamedTuple):
    """Nobody waits for that request any more; it is not answered."""

    id: int


class Piece(NamedTuple):
    """What a text under way has come to have more; its answer follows, with the whole text."""

    id: int
    text: str


class Answer(NamedTuple):
    """What became of a request: float32 rows, a text, arrays, or the error that it ended with."""

    id: int
    outcome: Made | StarAIError


def write_request(stream: BinaryIO, request: Request | Withdrawal) -> None:
    """Write a request, or that one is withdrawn."""
    if isinstance(request, Withdrawal):
        write_frame(stream, {"id": request.id})
    elif isinstance(request.asked, dict):
        _write_arrays(stream, request.id, request.asked)
    else:
        asked = request.asked.model_dump(mode="json") if isinstance(request.asked, Prompt) else request.asked
        write_frame(stream, {"id": request.id}, json.dumps(asked).encode())


def read_request(stream: BinaryIO) -> Request | Withdrawal | None:
    """Read a request, or a withdrawal; ``None`` at the end."""
    if (frame := read_frame(stream)) is None:
        return None
    head, body = frame
    if "arrays" in head:
        return Request(head["id"], _arrays(head["arrays"], body))
    if not body:
        return Withdrawal(head["id"])
    asked = json.loads(body)
    return Request(head["id"], Prompt.model_validate(asked) if isinstance(asked, dict) else asked)


def write_answer(stream: BinaryIO, answer: Answer | Piece) -> None:
    """Write an answer, or a piece. An error travels by its class's name and its message; any other as a ModelError."""
    if isinstance(answer, Piece):
        write_frame(stream, {"id": answer.id, "piece": answer.text})
    elif isinstance(answer.outcome, Generated):
        write_frame(stream, {"id": answer.id, "generated": answer.outcome.model_dump(mode="json")})
    elif isinstance(answer.outcome, dict):
        _write_arrays(stream, answer.id, answer.outcome)
    elif isinstance(answer.outcome, StarAIError):
        name = type(answer.outcome).__name__
        write_frame(stream, {"id": answer.id, "error": name, "message": str(answer.outcome)})
    else:
        rows = np.ascontiguousarray(answer.outcome, "<f4")
        write_frame(stream, {"id": answer.id, "shape": rows.shape}, rows.tobytes())


def read_answer(stream: BinaryIO) -> Answer | Piece | None:
    """Read an answer, or a piece; ``None`` at the end."""
    if (frame := read_frame(stream)) is None:
        return None
    head, body = frame
    if "piece" in head:
        return Piece(head["id"], head["piece"])
    if "generated" in head:
        return Answer(head["id"], Generated.model_validate(head["generated"]))
    if "arrays" in head:
        return Answer(head["id"], _arrays(head["arrays"], body))
    if "error" in head:
        return Answer(head["id"], _ERRORS.get(head["error"], ModelError)(head["message"]))
    # A copy, because what lies over bytes cannot be written to.
    return Answer(head["id"], np.frombuffer(body, "<f4").reshape(head["shape"]).copy())


def _write_arrays(stream: BinaryIO, number: int, arrays: Arrays) -> None:
    described = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    write_frame(stream, {"id": number, "arrays": described}, b"".join(array.tobytes() for array in arrays.values()))


def _arrays(described: list[tuple[str, str, list[int]]], body: bytes) -> Arrays:
    arrays: Arrays = {}
    begin = 0
    for name, dtype, shape in described:
        # A copy, because what lies over bytes cannot be written to, nor need it lie where the processor wants it.
        arrays[name] = np.ndarray(shape, dtype, body, begin).copy()
        begin += arrays[name].nbytes
    return arrays
