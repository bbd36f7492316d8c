"""What a model makes of a task, as it travels: the one place where the kinds of models differ."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from models.entry import Kind
from starai.errors import BadInput, Cancelled, ModelError
from starai.generation import ChatMessage, Generated, Options, Prompt
from starai.tensor import pack, unpack
from starai.wire import MAX_BODY, Output, Tensor
from tasks.message import Task
from tasks.pieces import Pieces

# What a report needs beside its arrays, at most: for itself, and for each array.
_ENVELOPE = 1024
_ONE_PROMPT = "A language model goes on from one prompt or one conversation: submit each as a task of its own."

#: Ends when nobody wants the result any more.
Stop = Future[None] | None


class Model(Protocol):
    """A model that this device hosts; its kind says which of those below it is.

    Whatever it runs ends as :class:`Cancelled` soon after ``stop`` has ended.
    """

    @property
    def kind(self) -> Kind:
        """What it does."""


class Embeds(Model, Protocol):
    """A model of the kind ``EMBED``."""

    def run(self, inputs: list[str], timeout: float | None, stop: "Stop" = None) -> NDArray[np.float32]:
        """Return one row for each text."""


class Generates(Model, Protocol):
    """A model of the kind ``GENERATE``."""

    def generate(
        self, prompt: Prompt, timeout: float | None, stop: "Stop", on_piece: Callable[[str], None]
    ) -> Generated:
        """Return the text that follows; its pieces go to ``on_piece``. The timeout is from each to the next."""


class Computes(Model, Protocol):
    """A model of the kind ``TENSORS``."""

    def compute(
        self, arrays: Mapping[str, NDArray[Any]], timeout: float | None, stop: "Stop" = None
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays that it makes of these."""


@dataclass(frozen=True)
class Work:
    """A task that is to be done now.

    Attributes:
        lease: seconds that it may go on without a sign of life.
        stop: ends when it is cancelled.
    """

    task: Task
    model: Model
    lease: float
    stop: "Stop"


def output_of(work: Work, pieces: Pieces) -> Output:
    """Let the model do the task.

    Raises:
        BadInput: it is not for such a model, or what came of it is too large to send.
        Cancelled: it was.
        ModelError: this device could not do it.
    """
    try:
        return _DOES[work.model.kind](work, pieces)
    except (BadInput, Cancelled, ModelError):
        raise
    except Exception as error:  # a fault of ours, and one attempt: the task must not go round for ever
        raise ModelError(f"The model ended with an error that nobody expected: {type(error).__name__}.") from error


def _embed(work: Work, _: Pieces) -> Tensor:
    inputs = work.task.inputs
    texts = [inputs] if isinstance(inputs, str) else _texts(inputs)
    if texts is None or work.task.options or work.task.stream:
        raise BadInput("This model makes vectors of texts, and generates none: give it a text, or a list of texts.")
    if not texts:
        raise BadInput("The list of texts is empty: there is nothing to do.")
    rows = cast("Embeds", work.model).run(texts, work.lease, work.stop)
    vectors = pack(rows[0] if isinstance(inputs, str) else rows)
    _require_room(len(vectors.data), "Send fewer texts in one task, or use map().")
    return vectors


def _generate(work: Work, pieces: Pieces) -> Generated:
    inputs = work.task.inputs
    if isinstance(inputs, dict):
        raise BadInput(_ONE_PROMPT)
    if isinstance(inputs, list):
        inputs = [message for message in inputs if isinstance(message, ChatMessage)]
        if not inputs:
            raise BadInput(_ONE_PROMPT)
    prompt = Prompt(inputs=inputs, options=work.task.options or Options())
    generated = cast("Generates", work.model).generate(prompt, work.lease, work.stop, pieces.add)
    _require_room(len(generated.model_dump_json()), "Ask for fewer tokens.")
    return generated


def _compute(work: Work, _: Pieces) -> dict[str, Tensor]:
    inputs = work.task.inputs
    if not isinstance(inputs, dict):
        raise BadInput("This model takes named arrays: give it a dict of them.")
    arrays = {name: unpack(array) for name, array in inputs.items()}
    found = cast("Computes", work.model).compute(arrays, work.lease, work.stop)
    made = {name: pack(array) for name, array in found.items()}
    size = sum(len(name) + len(array.data) + _ENVELOPE for name, array in made.items())
    _require_room(size, "Send less in one task.")
    return made


_DOES: dict[Kind, Callable[[Work, Pieces], Output]] = {
    Kind.EMBED: _embed,
    Kind.GENERATE: _generate,
    Kind.TENSORS: _compute,
}


def _texts(inputs: object) -> list[str] | None:
    """Return a list of texts, or nothing where it is something else."""
    if not isinstance(inputs, list):
        return None
    texts = [text for text in inputs if isinstance(text, str)]
    return texts if len(texts) == len(inputs) else None


def _require_room(size: int, advice: str) -> None:
    if size + _ENVELOPE > MAX_BODY:
        raise BadInput(f"The result would have {size + _ENVELOPE:,} bytes; the most is {MAX_BODY:,}. {advice}")
