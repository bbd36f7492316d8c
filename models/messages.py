"""What a host and its model's process say to each other: what is asked, pieces of an answer, how it ended."""

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
from starai.generation import Generated, Prompt

Rows = NDArray[np.float32]
#: What a model makes of it.
Made = Rows | Generated
#: What is asked of a model: texts that are to become rows, or a prompt that a text is to go on from.
Asked = list[str] | Prompt

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
    """What became of a request: float32 rows, a text, or the error that it ended with."""

    id: int
    outcome: Made | StarAIError


def write_request(stream: BinaryIO, request: Request | Withdrawal) -> None:
    """Write a request, or that one is withdrawn."""
    body = b"" if isinstance(request, Withdrawal) else _asked_body(request.asked)
    write_frame(stream, {"id": request.id}, body)


def _asked_body(asked: Asked) -> bytes:
    return json.dumps(asked.model_dump(mode="json") if isinstance(asked, Prompt) else asked).encode()


def read_request(stream: BinaryIO) -> Request | Withdrawal | None:
    """Read a request, or a withdrawal; ``None`` at the end."""
    if (frame := read_frame(stream)) is None:
        return None
    head, body = frame
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
    if "error" in head:
        return Answer(head["id"], _ERRORS.get(head["error"], ModelError)(head["message"]))
    # A copy, because what lies over bytes cannot be written to.
    return Answer(head["id"], np.frombuffer(body, "<f4").reshape(head["shape"]).copy())
