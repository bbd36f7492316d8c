"""Reads the body of a request, as long as one may be, and in time."""

import asyncio

from starlette.requests import Request

from ops.serve.refusal import Refusal
from starai.wire import MAX_BODY

#: What a task may have at most, and room for the parameters beside it.
MOST_BYTES = MAX_BODY + 64 * 1024
_SECONDS = 60.0


async def read_body(request: Request) -> bytes:
    """Return the body.

    Raises:
        Refusal: it is too large, or does not come.
        ClientDisconnect: the client left.
    """
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise Refusal(408, f"The body of the request did not come within {_SECONDS:g} s.") from None
    return bytes(body)


def _too_large() -> Refusal:
    return Refusal(413, f"The body of the request is too large: the most is {MOST_BYTES:,} bytes.", code="too_large")
