"""What a submitter may ask about, checked: texts, a conversation, or arrays by their names."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from broker_config.invalid import first_error
from starai.answer import Expected
from starai.errors import BadInput
from starai.generation import ChatMessage, Generated, Options
from starai.tensor import pack
from starai.wire import MAX_MESSAGES, MAX_TENSORS, MAX_TEXTS, Inputs, Tensor

#: One turn of a conversation: ``{"role": "user", "content": "..."}`` does as well.
Message = ChatMessage | Mapping[str, str]
#: What a task may ask about.
Asked = str | Sequence[str] | Sequence[Message] | Mapping[str, NDArray[Any]]


def check_inputs(inputs: object) -> Inputs:
    """Return the inputs as one text, a list of texts, a conversation, or named arrays.

    Raises:
        BadInput: they are anything else, or there are none, or too many.
    """
    if isinstance(inputs, str):
        return inputs
    if isinstance(inputs, Mapping):
        return _arrays(inputs)
    if not isinstance(inputs, Sequence) or isinstance(inputs, (bytes, bytearray)):
        raise BadInput(
            "A task's input is a text, a list of texts, a list of messages or a dict of named arrays, "
            f"not {type(inputs).__name__}."
        )
    if not inputs:
        raise BadInput("The list of texts is empty: there is nothing to do.")
    return _messages(inputs) if isinstance(inputs[0], (ChatMessage, Mapping)) else _texts(inputs)


def expected_of(inputs: Inputs, options: Options | None) -> Expected:
    """Return what may answer inputs that were checked. Whether one text is to be gone on from, its model knows."""
    if isinstance(inputs, str):
        return Expected((Generated,)) if options else Expected((Tensor, Generated), ())
    if isinstance(inputs, dict):
        return Expected((dict,))
    return Expected((Tensor,), (len(inputs),)) if isinstance(inputs[0], str) else Expected((Generated,))


def _texts(inputs: Sequence[Any]) -> list[str]:
    if len(inputs) > MAX_TEXTS:
        raise BadInput(f"A task has at most {MAX_TEXTS:,} texts, not {len(inputs):,}: use map(), which splits.")
    for position, text in enumerate(inputs):
        if not isinstance(text, str):
            raise BadInput(f"Input {position} is {type(text).__name__}, not a text.")
    return list(inputs)


def _messages(inputs: Sequence[Any]) -> list[ChatMessage]:
    if len(inputs) > MAX_MESSAGES:
        raise BadInput(f"A conversation has at most {MAX_MESSAGES:,} messages, not {len(inputs):,}.")
    return [_message(message, position) for position, message in enumerate(inputs)]


def _message(message: object, position: int) -> ChatMessage:
    try:
        return ChatMessage.model_validate(message)
    except ValidationError as error:
        raise BadInput(f"Message {position} is none: {first_error(error, 'it')}.") from error


def _arrays(inputs: Mapping[Any, Any]) -> dict[str, Tensor]:
    if not 0 < len(inputs) <= MAX_TENSORS:
        raise BadInput(f"A task has from 1 to {MAX_TENSORS} named arrays, not {len(inputs):,}.")
    if odd := [name for name in inputs if not isinstance(name, str)]:
        raise BadInput(f"Arrays are named by texts, not by {type(odd[0]).__name__}.")
    return {name: _array(name, array) for name, array in inputs.items()}


def _array(name: str, array: object) -> Tensor:
    if not isinstance(array, (np.ndarray, np.generic)):
        raise BadInput(f"The input {name[:80]!r} is {type(array).__name__}, not a numpy array.")
    try:
        return pack(np.asarray(array))
    except BadInput as error:
        raise BadInput(f"The input {name[:80]!r}: {error}") from error
