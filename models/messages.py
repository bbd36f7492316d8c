"""What a host and its model's process say to each other: requests of texts, answers of rows or an error."""

import json
from typing import BinaryIO, NamedTuple

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

Rows = NDArray[np.float32]

#: The process's first answer has this id: the model is loaded, or why it is not.
LOADED = 0

_ERRORS: dict[str, type[StarAIError]] = {
    error.__name__: error
    for error in (BadInput, ModelError, ModelCorrupt, ModelUnavailable, ModelNotFound, EngineMissing)
}


class Request(NamedTuple):
    """Texts that wait for their rows."""

    id: int
    inputs: list[str]


class Withdrawal(NamedTuple):
    """Nobody waits for that request any more; it is not answered."""

    id: int


class Answer(NamedTuple):
    """What became of a request: float32 rows, or the error that it ended with."""

    id: int
    outcome: Rows | StarAIError


def write_request(stream: BinaryIO, request: Request | Withdrawal) -> None:
    """Write a request, or that one is withdrawn."""
    body = b"" if isinstance(request, Withdrawal) else json.dumps(request.inputs).encode()
    write_frame(stream, {"id": request.id}, body)


def read_request(stream: BinaryIO) -> Request | Withdrawal | None:
    """Read a request, or a withdrawal; ``None`` at the end."""
    if (frame := read_frame(stream)) is None:
        return None
    head, body = frame
    return Request(head["id"], json.loads(body)) if body else Withdrawal(head["id"])


def write_answer(stream: BinaryIO, answer: Answer) -> None:
    """Write an answer. An error travels by its class's name and its message; any other kind as a ModelError."""
    if isinstance(answer.outcome, StarAIError):
        name = type(answer.outcome).__name__
        write_frame(stream, {"id": answer.id, "error": name, "message": str(answer.outcome)})
    else:
        rows = np.ascontiguousarray(answer.outcome, "<f4")
        write_frame(stream, {"id": answer.id, "shape": rows.shape}, rows.tobytes())


def read_answer(stream: BinaryIO) -> Answer | None:
    """Read an answer; ``None`` at the end."""
    if (frame := read_frame(stream)) is None:
        return None
    head, body = frame
    if "error" in head:
        return Answer(head["id"], _ERRORS.get(head["error"], ModelError)(head["message"]))
    # A copy, because what lies over bytes cannot be written to.
    return Answer(head["id"], np.frombuffer(body, "<f4").reshape(head["shape"]).copy())
