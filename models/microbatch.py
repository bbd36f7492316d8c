"""Micro-batching: requests that wait together run together."""

import logging
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from models.messages import Answer, Request, Rows
from starai.errors import BadInput, ModelError, StarAIError

log = logging.getLogger(__name__)

#: No request joins a batch that has this many texts, so that a short one does not wait for all the long ones.
MOST_TEXTS = 256


class Engine(Protocol):
    """A loaded model."""

    def run(self, texts: Sequence[str]) -> Rows:
        """Return one row for each text."""


def take(waiting: "SimpleQueue[Request]") -> list[Request]:
    """Wait for a request, then take along those that wait behind it."""
    batch = [waiting.get()]
    while not waiting.empty() and sum(len(request.inputs) for request in batch) < MOST_TEXTS:
        batch.append(waiting.get())
    return batch


def serve(engine: Engine, batch: Sequence[Request], answer: Callable[[Answer], None]) -> None:
    """Run the requests as one batch and answer each; if that fails, each alone, so that one spoils no other's."""
    try:
        rows = engine.run([text for request in batch for text in request.inputs])
    except Exception as error:  # noqa: BLE001 - the edge: a model's failure is an answer, and the process lives on
        if len(batch) == 1:
            answer(Answer(batch[0].id, model_error(error)))
            return
        for request in batch:
            serve(engine, [request], answer)
        return
    begin = 0
    for request in batch:
        end = begin + len(request.inputs)
        answer(Answer(request.id, rows[begin:end]))
        begin = end


def model_error(error: Exception) -> StarAIError:
    """Return the error as one that a host may raise; what nobody foresaw is logged with its traceback."""
    if isinstance(error, (ModelError, BadInput)):
        return error
    log.error("model.failed", exc_info=error)
    return ModelError(f"The model failed: {type(error).__name__}: {error}")
