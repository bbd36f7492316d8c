"""Work for an HTTP client, for as long as it is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.types import Receive

_T = TypeVar("_T")


class ClientLeft(Exception):
    """The HTTP client has closed its connection before it had its answer."""


async def while_present(receive: Receive, work: Awaitable[_T]) -> _T:
    """Await some work and return its result; cancel it at once where the client leaves.

    Args:
        receive: from which the request was read to its end.
        work: what is done for it.

    Raises:
        ClientLeft: the client left.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeft
        return await working
    finally:
        await _end(working, leaving)


async def whole(work: Awaitable[_T], undo: Callable[[_T], object]) -> _T:
    """Await what is not to be given up half way. Where this is cancelled, what it still brings is undone."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        if not working.cancelled() and working.exception() is None:
            undo(working.result())
        raise


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: "asyncio.Future[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
