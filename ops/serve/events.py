"""A stream of server-sent events: a text while it is made."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ops.serve.presence import ClientLeft, while_present
from ops.serve.refusal import Refusal, stopping
from ops.serve.telling import told
from starai.errors import StarAIError

#: Seconds without an event after which a comment says that the stream lives.
PAUSE = 10.0
# A client that reads nothing for so long is taken for gone; who is stopped has less time for last words.
_READS_WITHIN, _LAST_WORDS = 60.0, 1.0
_DONE = b"data: [DONE]\n\n"
_ALIVE = b": the text is being made\n\n"
_OVER = object()


async def paced(events: AsyncIterator[dict[str, Any]], pause: float) -> AsyncIterator[dict[str, Any] | None]:
    """Yield the events, and ``None`` whenever none has come for so many seconds."""
    coming: asyncio.Future[Any] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events, _OVER))
            await asyncio.wait((coming,), timeout=pause)
            if not coming.done():
                yield None
                continue
            event, coming = await coming, None
            if event is _OVER:
                return
            yield event
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()  # type: ignore[attr-defined]


class EventStream(Response):
    """Answers with events, as they come. An error is an event as well, and the last one: no `[DONE]` follows it.

    Args:
        first: the first event, or ``None`` where none came yet.
        rest: the others, from :func:`paced`.
        state: of the request; ``end`` says there how the stream ended.
    """

    media_type = "text/event-stream"

    def __init__(
        self, first: dict[str, Any] | None, rest: AsyncIterator[dict[str, Any] | None], state: dict[str, Any]
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["Content-Length"]
        self._first = first
        self._rest = rest
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Send everything, for as long as the client is there."""
        try:
            await while_present(receive, self._send_all(send))
        except ClientLeft:
            self._state["end"] = "left"
        except asyncio.CancelledError:
            self._state["end"] = "stopped"
            await _send_last(send, _event(stopping().body))
            raise

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await _send(send, _line(self._first))
            async for event in self._rest:
                await _send(send, _line(event))
            end = _DONE
        except TimeoutError as error:
            if not isinstance(error, StarAIError):
                raise ClientLeft from None
            end = self._last(told(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and told in the stream
            end = self._last(told(error))
        finally:
            await self._rest.aclose()  # type: ignore[attr-defined]
        await _send(send, end, more=False)

    def _last(self, refusal: Refusal) -> bytes:
        self._state["end"] = refusal.code or refusal.status
        return _event(refusal.body)


async def _send(send: Send, data: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(_READS_WITHIN):
        await send({"type": "http.response.body", "body": data, "more_body": more})


async def _send_last(send: Send, data: bytes) -> None:
    try:
        async with asyncio.timeout(_LAST_WORDS):
            await send({"type": "http.response.body", "body": data, "more_body": False})
    except TimeoutError:  # it does not read
        return


def _line(event: dict[str, Any] | None) -> bytes:
    return _ALIVE if event is None else _event(event)


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + to_json(data) + b"\n\n"
