"""What phones ask about models: what one consists of, and its files."""

import asyncio
import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ops.phone.offer import OfferedFile
from ops.phone.offers import NotNow, Offers
from ops.phone.validator import is_known, validator

log = logging.getLogger(__name__)

#: Files that are sent at the same time.
MOST_DOWNLOADS = 16
#: Seconds that sending one may take: who is slower goes on where it was cut off, and lets others in between.
LONGEST_DOWNLOAD = 900.0
_BUSY = NotNow("The server sends models to many phones just now: ask again in a moment.", 10)
_UNCHANGED_FOR_EVER = "public, max-age=31536000, immutable"


class ModelRoutes:
    """Gives models to phones: files that the catalogue names, each as it was verified, and nothing else.

    Args:
        offers: the models.
        most: how many files are sent at the same time.
        longest: seconds that sending one may take.
    """

    def __init__(self, offers: Offers, most: int = MOST_DOWNLOADS, longest: float = LONGEST_DOWNLOAD) -> None:
        self._offers = offers
        self._places = _Places(most)
        self._longest = longest

    async def manifest(self, request: Request) -> Response:
        """Answer what a model consists of."""
        try:
            offer = await self._offers.get(request.path_params["name"])
        except NotNow as error:
            return _later(error)
        if offer is None:
            raise HTTPException(404)
        return JSONResponse(offer.manifest, headers={"Cache-Control": "no-cache"})

    async def file(self, request: Request) -> Response:
        """Answer with a file, or with a part of it."""
        try:
            offer = await self._offers.get(request.path_params["name"])
        except NotNow as error:
            return _later(error)
        offered = offer.files.get(request.path_params["path"]) if offer else None
        if offered is None:
            raise HTTPException(404)
        headers = {"Cache-Control": _caching(request, offered), "ETag": validator(offered.file.sha256)}
        if is_known(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return _Download(offered, headers, self._places, self._longest)


class _Places:
    """Places for files that are sent."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __enter__(self) -> None:
        self.free -= 1

    def __exit__(self, *_: object) -> None:
        self.free += 1


class _Download(FileResponse):
    """A file that is sent while there is a place for it, and for so long."""

    def __init__(self, offered: OfferedFile, headers: dict[str, str], places: _Places, longest: float) -> None:
        super().__init__(offered.here, headers=headers, media_type="application/octet-stream")
        self._places = places
        self._longest = longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._places.free <= 0:
            await _later(_BUSY)(scope, receive, send)
            return
        with self._places:
            try:
                await asyncio.wait_for(super().__call__(scope, receive, send), self._longest)
            except TimeoutError:  # the server ends the connection, and the phone asks for the rest
                log.warning("page.slow", extra={"path": scope["path"], "seconds": self._longest})


def _later(error: NotNow) -> Response:
    return JSONResponse({"reason": error.reason}, 503, {"Retry-After": str(error.seconds), "Cache-Control": "no-store"})


def _caching(request: Request, offered: OfferedFile) -> str:
    """Return for how long an answer holds: for ever where its address has the SHA-256, ``?sha256=...``."""
    is_named = request.query_params.get("sha256") == offered.file.sha256
    return _UNCHANGED_FOR_EVER if is_named else "no-cache"
