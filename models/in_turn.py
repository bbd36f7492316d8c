"""Texts under way at once: each goes one step on in its turn, so that a long one holds up no other.

A step of several texts together would be faster where the runtime can add one to those under way; on a processor it
cannot, and what stands in a batch beside a text would change its last bits.
"""

from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from models.messages import Answer, Piece, Request
from models.microbatch import Withdrawn, model_error
from starai.errors import BadInput
from starai.generation import Generated, Prompt


class Text(Protocol):
    """A text under way; see :class:`models.generation.Generating`."""

    result: Generated | None

    def step(self) -> str:
        """Go one step on, and return what that adds."""


class InTurn:
    """Serves requests for texts.

    Args:
        begin: begins a text.
        answer: sends pieces and ends; of a text that is withdrawn, no more of either.
        withdrawn: requests that nobody waits for any more.
        most: how many texts are under way at once; others wait.
    """

    def __init__(
        self,
        begin: Callable[[Prompt], Text],
        answer: Callable[[Answer | Piece], None],
        withdrawn: Withdrawn,
        most: int,
    ) -> None:
        self._begin = begin
        self._answer = answer
        self._withdrawn = withdrawn
        self._most = most
        self._under_way: dict[int, Text] = {}

    def serve(self, waiting: "SimpleQueue[Request]") -> None:
        """Begin what waits, as far as there is room, and go one step on with each; wait where there is nothing."""
        while len(self._under_way) < self._most and not (self._under_way and waiting.empty()):
            self._admit(waiting.get())
        for request in list(self._under_way):
            self._step(request)

    def _admit(self, request: Request) -> None:
        if self._withdrawn.forget(request.id):
            return
        try:
            if not isinstance(request.asked, Prompt):
                raise BadInput("This model generates texts: ask it for one, with a prompt or a conversation.")
            self._under_way[request.id] = self._begin(request.asked)
        except Exception as error:  # noqa: BLE001 - the edge: a model's failure is an answer, and the process lives on
            self._answer(Answer(request.id, model_error(error)))

    def _step(self, request: int) -> None:
        if self._withdrawn.forget(request):
            del self._under_way[request]
            return
        text = self._under_way[request]
        try:
            piece = text.step()
        except Exception as error:  # noqa: BLE001 - the edge: a model's failure is an answer, and the process lives on
            del self._under_way[request]
            self._answer(Answer(request, model_error(error)))
            return
        # Be there more of the text or not: the host is to hear that it gets on.
        self._answer(Piece(request, piece))
        if text.result is not None:
            del self._under_way[request]
            self._answer(Answer(request, text.result))
