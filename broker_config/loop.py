"""The loop under a link: any thread that holds its lock may use the connection, and what it writes leaves at once.

pika's own loop belongs to one thread. Each message would have to wake that thread, which then asks the selector
whether the socket can be written to, which it nearly always can. Here the loop's thread holds the lock whenever it
does not wait, so that who publishes can send as well.
"""

import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from pika.adapters.utils.selector_ioloop_adapter import AbstractSelectorIOLoop


class Timer:
    """A call that is due at a time on ``time.monotonic()``; without its callback once it was withdrawn."""

    def __init__(self, due: float, callback: Callable[[], Any]) -> None:
        self.due = due
        self.callback: Callable[[], Any] | None = callback


class Loop(AbstractSelectorIOLoop):
    """A selector with callbacks and timers; pika's adapter for such loops says what its methods mean.

    Args:
        lock: held by the loop's thread while it runs anything. Another thread that uses the connection holds it
            as well, and calls :meth:`flush` before it lets go.
        fill: called at the beginning of each :meth:`flush`, to write what is to be sent.
        is_due: tells, without the lock, whether there is something to fill in.

    Attributes:
        eager: whether :meth:`flush` writes to a socket before it asks the selector. Not while a socket connects:
            to pika, being called for a socket that can be written to means that it has connected.
    """

    READ = selectors.EVENT_READ
    WRITE = selectors.EVENT_WRITE
    # The selectors of the standard library report an error as both of the above.
    ERROR = 1 << 10

    def __init__(self, lock: AbstractContextManager[Any], fill: Callable[[], None], is_due: Callable[[], bool]) -> None:
        self._fill = fill
        self._is_due = is_due
        self.eager = False
        self._lock = lock
        self._selector = selectors.DefaultSelector()
        self._handlers: dict[int, Callable[[int, int], Any]] = {}
        self._wanted: dict[int, int] = {}
        self._changed: set[int] = set()
        self._callbacks: deque[Callable[[], Any]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._counter = itertools.count()
        self._stopping = False
        self._thread = 0
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self.add_handler(self._woken.fileno(), lambda *_: self._woken.recv(4096), self.READ)

    @property
    def is_own_thread(self) -> bool:
        """Whether the calling thread is the one that runs the loop."""
        return self._thread == threading.get_ident()

    def start(self) -> None:
        """Run until :meth:`stop`."""
        self._thread = threading.get_ident()
        ready: list[tuple[selectors.SelectorKey, int]] = []
        while self._round(ready):
            ready = self._selector.select(self._pause())

    def stop(self) -> None:
        """End :meth:`start` after what it does now."""
        self._stopping = True
        self._wake()

    def close(self) -> None:
        """Release what the loop holds; it must have stopped."""
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def flush(self) -> None:
        """Send what was written since the last time. The selector waits only for what a socket does not take."""
        self._fill()
        while self._changed:
            fd = self._changed.pop()
            if self.eager and self._wanted[fd] & self.WRITE:
                self._handlers[fd](fd, self.WRITE)
                self._changed.discard(fd)
            if self._watch(fd):
                self._wake()  # on Windows a select that waits does not see the change

    def call_later(self, delay: float, callback: Callable[..., Any]) -> Timer:
        """Call after so many seconds."""
        timer = Timer(time.monotonic() + delay, callback)
        heapq.heappush(self._timers, (timer.due, next(self._counter), timer))
        self._wake()
        return timer

    def remove_timeout(self, timeout_handle: Any) -> None:
        """Withdraw a timer."""
        timeout_handle.callback = None

    def add_callback(self, callback: Callable[..., Any]) -> None:
        """Call soon, on the loop's thread. Any thread may ask for it, with or without the lock."""
        self._callbacks.append(callback)
        self._wake()

    def add_handler(self, fd: int, handler: Callable[[int, int], Any], events: int) -> None:
        """Watch a socket."""
        self._handlers[fd] = handler
        self._wanted[fd] = events
        self._selector.register(fd, events & (self.READ | self.WRITE))

    def update_handler(self, fd: int, events: int) -> None:
        """Watch a socket for other events, from the next flush on."""
        self._wanted[fd] = events
        self._changed.add(fd)

    def remove_handler(self, fd: int) -> None:
        """Watch a socket no more: at once, because it is about to be closed."""
        self._changed.discard(fd)
        del self._handlers[fd], self._wanted[fd]
        self._selector.unregister(fd)

    def _round(self, ready: list[tuple[selectors.SelectorKey, int]]) -> bool:
        with self._lock:
            for key, events in ready:
                self._handle(key.fd, events)
            self._run_due()
            self.flush()
            return not self._stopping

    def _handle(self, fd: int, events: int) -> None:
        # An earlier handler may have removed it.
        if events := events & self._wanted.get(fd, 0):
            self._handlers[fd](fd, events)

    def _watch(self, fd: int) -> bool:
        """Tell the selector what is wanted of a socket now; return whether that is something else."""
        if fd not in self._wanted:
            return False
        events = self._wanted[fd] & (self.READ | self.WRITE)
        if events == self._selector.get_key(fd).events:
            return False
        self._selector.modify(fd, events)
        return True

    def _run_due(self) -> None:
        for _ in range(len(self._callbacks)):  # what these add is for the next round
            self._callbacks.popleft()()
        while self._timers and self._timers[0][0] <= time.monotonic():
            if callback := heapq.heappop(self._timers)[2].callback:
                callback()

    def _pause(self) -> float | None:
        if self._callbacks or self._is_due():
            return 0
        return max(self._timers[0][0] - time.monotonic(), 0) if self._timers else None

    def _wake(self) -> None:
        if not self.is_own_thread:
            with suppress(BlockingIOError, OSError):  # a full pipe wakes as well; a closed loop has nothing to wake
                self._waker.send(b"\0")
