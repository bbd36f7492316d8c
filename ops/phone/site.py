"""The page by which phones join, as routes below ``/phone/``: its files, and the models that phones run."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from ops.phone.assets import Asset
from ops.phone.models import ModelRoutes
from ops.phone.protection import Protected
from ops.phone.validator import is_known, validator

#: Kept by the browser, and asked for again each time: the answer is that it has not changed.
_CACHE = "no-cache"


def phone_site(assets: Mapping[str, Asset], models: ModelRoutes, ca: str | None = None) -> list[BaseRoute]:
    """Return the routes. Anybody may ask for what they give; no cookie is set, and nothing is written.

    Args:
        assets: the page's files.
        models: what gives the models.
        ca: the certificate of the authority that phones have to trust, as PEM, if it is one that nobody else does.
    """
    routes: list[BaseRoute] = [
        Route("/models/{name}", models.manifest),
        Route("/models/{name}/{path:path}", models.file),
        Route("/{path:path}", _Page(assets).file),
    ]
    if ca is not None:
        routes.insert(0, Route("/ca.pem", _certificate(ca)))
    site = Starlette(routes=routes, middleware=[Middleware(Protected)])
    site.router.redirect_slashes = False
    return [Route("/phone", to_page), Mount("/phone", site)]


async def to_page(_: Request) -> Response:
    """Send a browser to the page."""
    return RedirectResponse("/phone/", 307)


def _certificate(pem: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(pem, headers={"Cache-Control": "no-cache"}, media_type="application/x-x509-ca-cert")

    return answer


class _Page:
    """Gives the page's files. Nothing else can be asked for: a path is looked up in a table, never on the disk."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._assets = assets

    async def file(self, request: Request) -> Response:
        asset = self._assets.get(request.path_params["path"] or "index.html")
        if asset is None:
            raise HTTPException(404)
        packed = asset.is_packed and _takes_gzip(request)
        tag = validator(f"{asset.tag}-gzip" if packed else asset.tag)
        headers = {"Cache-Control": _CACHE, "ETag": tag, "Vary": "Accept-Encoding"}
        if is_known(request, tag):
            return Response(status_code=304, headers=headers)
        if not packed:
            return Response(asset.plain, headers=headers | {"Content-Type": asset.content_type})
        more = {"Content-Type": asset.content_type, "Content-Encoding": "gzip"}
        return Response(asset.content, headers=headers | more)


def _takes_gzip(request: Request) -> bool:
    return "gzip" in _coding_names(request.headers.get("accept-encoding", ""))


def _coding_names(accepted: str) -> Sequence[str]:
    codings = (coding.replace(" ", "").lower().partition(";") for coding in accepted.split(","))
    return [name for name, _, weight in codings if weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")]
