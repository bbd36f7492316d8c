"""The page's own server as an ASGI application: the page, and nothing else."""

from collections.abc import Collection, Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ops.phone.assets import Asset
from ops.phone.models import ModelRoutes
from ops.phone.protection import Protected
from ops.phone.site import phone_site, to_page
from ops.web.hosts import NOT_BY_THAT_NAME, Hosts


def application(
    assets: Mapping[str, Asset], models: ModelRoutes, hosts: Collection[str] | None, ca: str | None = None
) -> Starlette:
    """Return the application.

    Args:
        assets: the page's files.
        models: what gives the models.
        hosts: the names that requests may be for; ``None``: any.
        ca: the certificate of the authority that phones have to trust, if it is one of the network's own.
    """
    app = Starlette(
        routes=[Route("/", to_page), *phone_site(assets, models, ca)],
        middleware=[Middleware(Protected), Middleware(_KnownHost, hosts=hosts)],
    )
    app.router.redirect_slashes = False
    return app


class _KnownHost:
    """Refuses a request that is for another host."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app = app
        self._hosts = Hosts(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_known = scope["type"] != "http" or self._hosts.include(scope)
        await (self._app if is_known else PlainTextResponse(NOT_BY_THAT_NAME, 403))(scope, receive, send)
