"""How many requests are under way."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ops.serve.refusal import RETRY_AFTER, Refusal


class Places:
    """Places for requests that are worked on at the same time.

    Args:
        most: how many there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for as long as the block lasts.

        Raises:
            Refusal: there is none.
        """
        if self._taken >= self._most:
            raise Refusal(
                429,
                f"The server works on {self._most} requests, the most at once: try again.",
                code="rate_limit_exceeded",
                headers=RETRY_AFTER,
            )
        self._taken += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._taken -= 1
            if not self._taken:
                self._empty.set()

    async def empty(self) -> None:
        """Wait until no place is taken."""
        await self._empty.wait()
