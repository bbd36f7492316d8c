"""Requests served one after the other: what could not run together anyway."""

from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from models.messages import Answer, Arrays, Asked, Request
from models.microbatch import Withdrawn, model_error
from starai.errors import StarAIError


class Running(Protocol):
    """A run that is about to begin; see :class:`models.graph.Run`."""

    def stop(self) -> None:
        """End it soon, be it begun or not. Any thread may."""

    def outputs(self) -> Arrays:
        """Run, and return what comes of it."""


class OneByOne:
    """Serves requests for arrays.

    Args:
        begin: prepares the run that answers a request.
        answer: sends what became of a request; nothing of one that is withdrawn.
        withdrawn: requests that nobody waits for any more.
    """

    def __init__(
        self, begin: Callable[[Asked], Running], answer: Callable[[Answer], None], withdrawn: Withdrawn
    ) -> None:
        self._begin = begin
        self._answer = answer
        self._withdrawn = withdrawn

    def serve(self, waiting: "SimpleQueue[Request]") -> None:
        """Wait for a request and serve it."""
        request = waiting.get()
        if request not in self._withdrawn:
            outcome = self._outcome(request)
            if request not in self._withdrawn:
                self._answer(Answer(request.id, outcome))
        self._withdrawn.forget_up_to(request.id)

    def _outcome(self, request: Request) -> Arrays | StarAIError:
        try:
            run = self._begin(request.asked)
            with self._withdrawn.stopping(request.id, run.stop):
                return run.outputs()
        except Exception as error:  # noqa: BLE001 - the edge: a model's failure is an answer, and the process lives on
            return model_error(error)
