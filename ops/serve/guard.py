"""Who is let in: requests that name this server as their host, and have one of its keys."""

import logging
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ops.serve.answers import refused
from ops.serve.keys import KeyRing
from ops.serve.refusal import Refusal
from ops.web.hosts import NOT_BY_THAT_NAME, Hosts
from starai.errors import SettingError

log = logging.getLogger(__name__)

_BEARER = "bearer "


class Guard:
    """Refuses whom it does not know.

    No answer has a header by which a page of another site could read it.

    Args:
        app: what answers those that are let in.
        keys: the keys.
        hosts: the names that requests may be for; ``None``: any.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, hosts: Collection[str] | None) -> None:
        self._app = app
        self._keys = keys
        self._hosts = Hosts(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refused(refusal) if refusal else self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        if not self._hosts.include(scope):
            return Refusal(403, NOT_BY_THAT_NAME, code="host_not_allowed")
        if _is_open(scope["path"]):
            return None
        headers = Headers(scope=scope)
        try:
            name = self._keys.name_of(_presented(headers))
        except SettingError as error:
            log.error("serve.keys", extra={"reason": str(error)})
            return Refusal(503, "The server cannot read its API keys. Its log says why.", code="keys_unreadable")
        if name is None:
            return _unknown(has_any="authorization" in headers)
        scope["state"]["key"] = name
        return None


def _is_open(path: str) -> bool:
    """Tell whether anybody may ask for that, without a key: whether the server lives, and the phones' page."""
    return path in ("/healthz", "/phone") or path.startswith("/phone/")


def _presented(headers: Headers) -> str:
    given = headers.get("authorization", "")
    return given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""


def _unknown(*, has_any: bool) -> Refusal:
    what = "The API key is not valid" if has_any else "No API key was sent"
    return Refusal(
        401,
        f"{what}. Send `Authorization: Bearer KEY`, with a key of `starai serve keys issue`.",
        code="invalid_api_key",
        headers={"WWW-Authenticate": "Bearer"},
    )
