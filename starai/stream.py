"""A text that is read while it is generated."""

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self, cast

from starai.asking import ended
from starai.errors import Restarted, StarAIError
from starai.generation import Generated
from starai.job import Job
from starai.reading import Reading
from starai.wire import State


class Piece(str):
    """A piece of a text. ``run`` is the id of the attempt that made it: another one began the text anew."""

    run: str


class Stream:
    """Gives the pieces of a text as they come: ``for piece in stream``, or ``async for piece in stream``.

    All pieces since the last :class:`Restarted`, joined, are the beginning of the text that :meth:`result` returns.
    Where a device ends in mid-stream, another one begins anew; as long as its text is the same, the pieces go on where
    they were, with that attempt's ``run``. If it is another text, the next piece is not given but ``Restarted`` is
    raised: what was given is void, and who goes on is given the new text from its beginning.

    A stream that is closed, or that nobody holds any more, cancels its task unless that has ended.

    Attributes:
        job: the task's.

    Raises:
        Restarted: as above.
        BadInput, UnknownModel, Rejected, Expired, Cancelled, FailedOnDevice: how the task ended.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._reading = job.reading = job.reading or Reading()
        self._is_over = self._is_given_up = False
        self._lock = threading.Lock()
        self._news: Future[None] = Future()
        job.on_news = _weakly(self._hear)  # or the job would keep what nobody reads any more

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        while True:
            news = self._news  # first: what comes from now on ends it
            if (piece := self._next()) is not None:
                return piece
            if self._is_over:
                raise StopIteration
            self._wait(news)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Piece:
        while True:
            news = self._news
            if (piece := self._next()) is not None:
                return piece
            if self._is_over:
                raise StopAsyncIteration
            await self._await(news)

    def result(self) -> Generated:
        """Wait for the end, and return the whole text with what is known of it; see :meth:`Job.result`."""
        return cast("Generated", self.job.result())

    async def aresult(self) -> Generated:
        """Do as :meth:`result` does, in asyncio."""
        return cast("Generated", await self.job)

    def close(self) -> None:
        """Cancel the task unless it has ended. Nothing is waited for; closing twice is harmless."""
        if not self.job.done and not self._is_given_up:
            self._is_given_up = True
            with suppress(StarAIError):  # the client is closed
                self.job.give_up()

    async def aclose(self) -> None:
        """Do as :meth:`close` does."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._is_given_up:
            self.job.give_up_soon()

    def _next(self) -> Piece | None:
        """Return what there is more, or nothing where that has to be waited for, or it is all."""
        is_over = self.job.done  # first: no piece comes after that
        if is_over:
            self._read_end(self.result())
        try:
            text = self._reading.take()
            self._is_over = is_over
        except Restarted as error:
            error.task = self.job.id
            raise
        return _piece(text, self._reading.run) if text else None

    def _read_end(self, generated: Generated) -> None:
        last = self.job.reports[-1] if self.job.reports else None
        self._reading.end(last.run or "" if last and last.state is State.SUCCEEDED else "", generated.text)

    def _wait(self, news: "Future[None]") -> None:
        for seconds in self.job.waits(None):
            with suppress(TimeoutError):
                news.result(seconds)
            if news.done():
                return
        self.job.result()  # asks the ledger; raises what became of a task of which nothing more is heard

    async def _await(self, news: "Future[None]") -> None:
        for seconds in self.job.waits(None):
            await ended(news, seconds)
            if news.done():
                return
        await self.job

    def _hear(self) -> None:
        """Wake who waits. On the client's thread."""
        with self._lock:
            news, self._news = self._news, Future()
        news.set_result(None)


def _piece(text: str, run: str) -> Piece:
    piece = Piece(text)
    piece.run = run
    return piece


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Return a method that does nothing once its object is gone, and does not keep that."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if (strong := reference()) is not None:
            strong()

    return call
