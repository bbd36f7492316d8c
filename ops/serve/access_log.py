"""One event for each request: what was asked, how it ended, whose key it had. Never a key, never a text."""

import asyncio
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ops.serve.answers import refused
from ops.serve.refusal import stopping
from ops.serve.telling import told

log = logging.getLogger(__name__)

#: What is asked so often, by programs that look whether the server lives, that it would hide the rest.
UNLOGGED = frozenset({"/healthz"})
_LONGEST = 200


class AccessLog:
    """Logs each request at its end, and answers where an error that nobody foresaw left it without an answer.

    Args:
        app: what answers. It says what else is worth logging in ``scope["state"]``: whose ``key`` it was, the
            ``model``, the ``task``, and how a stream that had begun came to its ``end``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["state"] = dict(scope.get("state") or {})
        began = time.monotonic()
        status = await self._answer(scope, receive, send)
        if scope["path"] not in UNLOGGED:
            log.info("serve.answered", extra=_context(scope, status, time.monotonic() - began))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> int:
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:  # the server has to end, and waits for nothing any more
            if not status:
                await refused(stopping())(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and answered
            refusal = told(error)
            if not status:
                await refused(refusal)(scope, receive, noted)
        return status


def _context(scope: Scope, status: int, seconds: float) -> dict[str, Any]:
    path = scope["raw_path"].decode("latin-1")
    known = {"method": scope["method"], "path": path, "status": status, "ms": round(1000 * seconds)}
    said = {name: value for name in ("key", "model", "task", "end") if (value := scope["state"].get(name)) is not None}
    return {name: _plain(value) for name, value in (known | said).items()}


def _plain(value: object) -> object:
    """Return what a stranger may have chosen so that it is one value, and no long one."""
    short = value[:_LONGEST] if isinstance(value, str) else value
    return repr(short) if isinstance(short, str) and " " in short else short
