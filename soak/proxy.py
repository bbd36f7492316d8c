"""A way to a port of this machine that can be cut, healed and slowed down, as somebody's home network is."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

_AT_ONCE = 64 * 1024
_READY_SECONDS = 10.0


class Proxy:
    """Passes on what comes to its own port. While it is cut, connections stand and nothing passes, either way.

    Args:
        target: the port to which everything goes.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._delay = 0.0
        self._pumps: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.port = 0

    def start(self) -> None:
        """Listen, on a port that nobody else uses."""
        self._thread.start()
        self._server = self._call(self._listen()).result(_READY_SECONDS)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Let nothing through: both ends hear nothing, and are told nothing."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def heal(self) -> None:
        """Let everything through, also what waited, at once."""
        self._delay = 0.0
        self._loop.call_soon_threadsafe(self._passing.set)

    def slow(self, seconds: float) -> None:
        """Let every piece wait for so long, either way."""
        self._delay = seconds

    def stop(self) -> None:
        """End, with all connections."""
        self._call(self._end()).result(_READY_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, doing: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(doing, self._loop)

    async def _listen(self) -> asyncio.Server:
        self._passing.set()
        return await asyncio.start_server(self._connect, "127.0.0.1", 0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the broker is down, which the device has to find out
            writer.transport.abort()
            return
        for source, target in ((reader, back), (there, writer)):
            pump = self._loop.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(_AT_ONCE):
                await asyncio.sleep(self._delay)
                await self._passing.wait()
                target.write(piece)
                await target.drain()
        except OSError:  # either end broke it off
            pass
        finally:
            target.transport.abort() if target.is_closing() else target.close()

    async def _end(self) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
