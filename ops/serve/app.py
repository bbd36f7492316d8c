"""The endpoint as an ASGI application: routes, and what happens to errors on the way."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from models.catalogue import Catalogue
from ops.serve.access_log import AccessLog
from ops.serve.answers import answered, refused
from ops.serve.guard import Guard
from ops.serve.keys import KeyRing
from ops.serve.model_list import model, model_list, model_names
from ops.serve.network import Network
from ops.serve.places import Places
from ops.serve.presence import ClientLeft
from ops.serve.refusal import Refusal
from ops.serve.telling import told
from ops.serve.work import Placed, Work
from starai.errors import StarAIError

# What was cancelled is told to the network in this time, when the server ends.
_LAST_SECONDS = 3.0
# Nobody reads it; in the log it says that the client left.
_LEFT = 499


def application(
    network: Network,
    catalogue: Catalogue,
    hosts: Collection[str] | None,
    most_requests: int,
    most_tokens: int,
    page: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application.

    Args:
        network: whom to ask; disconnected when the application ends.
        catalogue: the models that are listed.
        hosts: the names that requests may be for; ``None``: any.
        most_requests: under way at once.
        most_tokens: of an answer in a conversation, where a request does not say.
        page: the routes of the phones' page.
    """
    places, work = Places(most_requests), Work(network, most_tokens)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        with suppress(TimeoutError):
            await asyncio.wait_for(places.empty(), _LAST_SECONDS)
        await network.close()

    app = Starlette(
        routes=[
            *_about(network, catalogue),
            *page,
            Route("/v1/chat/completions", Placed(places, work.chat), methods=["POST"]),
            Route("/v1/completions", Placed(places, work.completion), methods=["POST"]),
            Route("/v1/embeddings", Placed(places, work.embeddings), methods=["POST"]),
        ],
        middleware=[Middleware(AccessLog), Middleware(Guard, keys=KeyRing(), hosts=hosts)],
        exception_handlers=dict.fromkeys((Refusal, StarAIError, HTTPException), _refused)
        | dict.fromkeys((ClientDisconnect, ClientLeft), _left),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _about(network: Network, catalogue: Catalogue) -> list[Route]:
    """Return the routes that tell of the endpoint itself, and of the models."""
    began, names = int(time.time()), model_names(catalogue)

    async def health(_: Request) -> Response:
        connected = network.is_connected
        return answered({"status": "ok" if connected else "network unreachable"}, 200 if connected else 503)

    async def models(_: Request) -> Response:
        return answered(model_list(catalogue, began))

    async def one_model(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in names:
            raise Refusal(404, f"There is no model {name[:80]!r} here.", code="model_not_found", param="model")
        return answered(model(name, began))

    return [
        Route("/healthz", health),
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", one_model),
    ]


async def _refused(request: Request, error: Exception) -> Response:
    return refused(_of_http(error, request) if isinstance(error, HTTPException) else told(error))


def _of_http(error: HTTPException, request: Request) -> Refusal:
    path = request.url.path[:200]
    if error.status_code == 404:
        return Refusal(404, f"There is nothing at {path}: what there is begins with /v1.", code="not_found")
    if error.status_code == 405:
        allowed = dict(error.headers or {})
        return Refusal(405, f"{path} takes {allowed.get('Allow')} alone.", code="method_not_allowed", headers=allowed)
    return Refusal(error.status_code, error.detail)


async def _left(_: Request, __: Exception) -> Response:
    return Response(status_code=_LEFT)
