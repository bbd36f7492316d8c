"""The network behind the endpoint: one client for all requests, and what is asked of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ops.serve.asked import Text, Vectors
from ops.serve.form import Heading
from ops.serve.presence import whole
from starai.client import Client
from starai.errors import BrokerRefused, ClientClosed, StarAIError
from starai.generation import Generated
from starai.job import Job
from starai.stream import Stream


class Network:
    """Asks the network on behalf of all requests. What nobody waits for any more is cancelled there.

    Args:
        client: connected to it.
        connect: makes another client, where that one was refused: a client that only lost its broker goes on trying.
        deadline: seconds after which a task is not worth doing any more.
    """

    def __init__(self, client: Client, connect: Callable[[], Client], deadline: float) -> None:
        self._client: Client | None = client
        self._connect = connect
        self._deadline = deadline
        self._connecting: asyncio.Future[Client] | None = None
        self._closing: set[asyncio.Future[None]] = set()

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there at this moment."""
        return self._client is not None and self._client.is_connected

    async def vectors(self, asked: Vectors, told: Callable[[str], None]) -> NDArray[np.float32]:
        """Return a row for each text.

        Args:
            asked: the texts.
            told: is told the task's id.

        Raises:
            StarAIError: what became of the task otherwise.
        """
        return cast("NDArray[np.float32]", await self._result(asked.model, asked.texts, told))

    async def text(self, asked: Text, told: Callable[[str], None]) -> dict[str, Any]:
        """Return a text, whole; see :meth:`vectors`."""
        began, ids = int(time.time()), list[str]()

        def note(task: str) -> None:
            ids.append(task)
            told(task)

        made = await self._result(asked.model, asked.inputs, note, options=asked.options)
        return asked.form.whole(Heading(ids[0], began, asked.model), cast("Generated", made))

    async def chunks(self, asked: Text, told: Callable[[str], None]) -> AsyncIterator[dict[str, Any]]:
        """Yield a text as it is made, as the chunks of a stream; see :meth:`vectors`.

        The first one comes with the first piece. A text that was begun anew is an error: what was yielded is void.
        """
        async with self._borrowed() as client:
            submitting = client.astream(asked.model, asked.inputs, options=asked.options, deadline=self._deadline)
            stream = await whole(submitting, lambda stream: stream.close())
            told(stream.job.id)
            heading = Heading(stream.job.id, int(time.time()), asked.model)
            async with stream:
                async for chunk in _chunks(stream, asked, heading):
                    yield chunk

    async def close(self) -> None:
        """Disconnect."""
        if self._connecting:
            await asyncio.wait((self._connecting,))
        if self._client:
            self._retire(self._client)
        await asyncio.gather(*self._closing)

    async def _result(self, model: str, inputs: Any, told: Callable[[str], None], **more: Any) -> object:
        async with self._borrowed() as client:
            job = await whole(client.asubmit(model, inputs, deadline=self._deadline, **more), _give_up)
            told(job.id)
            try:
                return await job
            except asyncio.CancelledError:
                _give_up(job)
                raise

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Client]:
        client = self._client or await self._another()
        try:
            yield client
        except (BrokerRefused, ClientClosed):
            if client is self._client:
                self._retire(client)
            raise

    async def _another(self) -> Client:
        """Return another client, the same to all who wait for one."""
        if self._connecting is None:
            self._connecting = asyncio.ensure_future(asyncio.to_thread(self._connect))
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    def _connected(self, connecting: "asyncio.Future[Client]") -> None:
        """Take in another client, though all who waited for it may have left."""
        self._connecting = None
        if not connecting.cancelled() and connecting.exception() is None:
            self._client = connecting.result()

    def _retire(self, client: Client) -> None:
        """Have no more to do with a client: the next request connects anew."""
        self._client = None
        closing = asyncio.ensure_future(asyncio.to_thread(client.close))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


async def _chunks(stream: Stream, asked: Text, heading: Heading) -> AsyncIterator[dict[str, Any]]:
    form, opening = asked.form, asked.form.opening(heading)
    async for piece in stream:
        for chunk in opening:
            yield chunk
        opening = []
        yield form.piece(heading, piece)
    made = await stream.aresult()
    for chunk in opening:
        yield chunk
    yield form.end(heading, made.finish_reason)
    if asked.with_usage:
        yield form.usage(heading, made)


def _give_up(job: Job) -> None:
    if not job.done:
        with suppress(StarAIError):  # the broker is gone, and with it whoever could be told
            job.give_up()
