"""Micro-batching: requests that wait together run together, but for those that were withdrawn meanwhile."""

import logging
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol

from models.messages import Answer, Request, Rows
from starai.errors import BadInput, ModelError, StarAIError

log = logging.getLogger(__name__)

#: No request joins a batch that has this many texts, so that a short one does not wait for all the long ones.
MOST_TEXTS = 256


class Engine(Protocol):
    """A loaded model."""

    def run(self, texts: Sequence[str], is_wanted: Callable[[int], bool]) -> Rows:
        """Return one row for each text; before each step those of which ``is_wanted(position)`` is false are left out.

        What stands in their rows is of no meaning.
        """


class Withdrawn:
    """Which requests nobody waits for any more. One thread may add to it while another serves."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._stops: dict[int, Callable[[], None]] = {}

    def __contains__(self, request: object) -> bool:
        return isinstance(request, Request) and request.id in self._ids

    def add(self, request: int) -> None:
        """That request is not to be answered; it may be, if it is being answered now."""
        self._ids.add(request)
        if stop := self._stops.get(request):
            stop()

    @contextmanager
    def stopping(self, request: int, stop: Callable[[], None]) -> Iterator[None]:
        """Within the context ``stop`` is called when that request is withdrawn, and at once if it was before."""
        self._stops[request] = stop
        try:
            if request in self._ids:
                stop()
            yield
        finally:
            del self._stops[request]

    def forget(self, request: int) -> bool:
        """That request is done; return whether it was withdrawn."""
        was_withdrawn = request in self._ids
        self._ids.discard(request)
        return was_withdrawn

    def forget_up_to(self, request: int) -> None:
        """That request and all before it are done."""
        for done in [known for known in tuple(self._ids) if known <= request]:
            self._ids.discard(done)


def take(waiting: "SimpleQueue[Request]") -> list[Request]:
    """Wait for a request, then take along those that wait behind it."""
    batch = [waiting.get()]
    while not waiting.empty() and sum(len(_texts(request)) for request in batch) < MOST_TEXTS:
        batch.append(waiting.get())
    return batch


def serve(
    engine: Engine, batch: Sequence[Request], answer: Callable[[Answer], None], withdrawn: Container[Request] = ()
) -> None:
    """Run the requests as one batch and answer each; if that fails, each alone, so that one spoils no other's.

    Those that are withdrawn are not run, nor run on, and not answered.
    """
    batch = [request for request in batch if request not in withdrawn]
    for request in batch:
        if not isinstance(request.asked, list):
            answer(
                Answer(
                    request.id, BadInput("This model makes vectors of texts: ask it with a text, or a list of texts.")
                )
            )
    batch = [request for request in batch if isinstance(request.asked, list)]
    if not batch:
        return
    owners = [request for request in batch for _ in _texts(request)]
    try:
        rows = engine.run(
            [text for request in batch for text in _texts(request)],
            lambda position: owners[position] not in withdrawn,
        )
    except Exception as error:  # noqa: BLE001 - the edge: a model's failure is an answer, and the process lives on
        if len(batch) == 1:
            answer(Answer(batch[0].id, model_error(error)))
            return
        for request in batch:
            serve(engine, [request], answer, withdrawn)
        return
    begin = 0
    for request in batch:
        end = begin + len(_texts(request))
        if request not in withdrawn:
            answer(Answer(request.id, rows[begin:end]))
        begin = end


def _texts(request: Request) -> list[str]:
    return request.asked if isinstance(request.asked, list) else []


def model_error(error: Exception) -> StarAIError:
    """Return the error as one that a host may raise; what nobody foresaw is logged with its traceback."""
    if isinstance(error, (ModelError, BadInput)):
        return error
    log.error("model.failed", exc_info=error)
    return ModelError(f"The model failed: {type(error).__name__}: {error}")
