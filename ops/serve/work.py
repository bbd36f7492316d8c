"""What the endpoint does for a request that was let in: reads it, asks the network, answers."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ops.serve.answers import answered
from ops.serve.asked import Text, Vectors
from ops.serve.body import read_body
from ops.serve.chat import read_chat
from ops.serve.completions import read_completion
from ops.serve.embeddings import embeddings, read_embeddings
from ops.serve.events import PAUSE, EventStream, paced
from ops.serve.network import Network
from ops.serve.parameters import parsed
from ops.serve.places import Places
from ops.serve.presence import while_present


class Work:
    """Answers the requests that the network is asked about.

    Args:
        network: whom to ask.
        most_tokens: of an answer in a conversation, where a request does not say.
    """

    def __init__(self, network: Network, most_tokens: int) -> None:
        self._network = network
        self._most_tokens = most_tokens

    async def chat(self, request: Request) -> Response:
        """Answer with the next turn of a conversation."""
        return await self._text(request, read_chat(await _parameters(request), self._most_tokens))

    async def completion(self, request: Request) -> Response:
        """Answer with how a prompt goes on."""
        return await self._text(request, read_completion(await _parameters(request)))

    async def embeddings(self, request: Request) -> Response:
        """Answer with the vectors of texts."""
        asked = read_embeddings(await _parameters(request))
        vectors = await while_present(request.receive, self._network.vectors(asked, _noting(request, asked)))
        return answered(embeddings(vectors, asked))

    async def _text(self, request: Request, asked: Text) -> Response:
        """Answer with a text. The status of a stream waits for its first piece, so that it tells what went wrong."""
        told = _noting(request, asked)
        if not asked.stream:
            return answered(await while_present(request.receive, self._network.text(asked, told)))
        events = paced(self._network.chunks(asked, told), PAUSE)
        first = await while_present(request.receive, anext(events))
        return EventStream(first, events, request.scope["state"])


class Placed:
    """An endpoint whose requests take a place each, until all of the answer is sent."""

    def __init__(self, places: Places, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._places = places
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        with self._places.one():
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)


async def _parameters(request: Request) -> dict[str, Any]:
    return parsed(await read_body(request))


def _noting(request: Request, asked: Text | Vectors) -> Callable[[str], None]:
    """Note for the log which model is asked, and return what notes the task."""
    state = request.scope["state"]
    state["model"] = asked.model
    return partial(state.__setitem__, "task")
