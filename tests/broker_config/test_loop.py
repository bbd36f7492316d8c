"""The loop under a link, with plain sockets."""

import socket
import threading
from collections.abc import Iterator

import pytest

from broker_config.loop import Loop


class Writer:
    """Writes to a socket as pika does: buffers, asks for the socket to become writable, and sends then."""

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self.left = b""
        self.threads: set[int] = set()
        self._loop, self._sock = loop, sock
        sock.setblocking(False)
        loop.add_handler(sock.fileno(), self._on_event, loop.READ)

    def write(self, data: bytes) -> None:
        self.left += data
        self._loop.update_handler(self._sock.fileno(), self._loop.READ | self._loop.WRITE)

    def _on_event(self, fd: int, events: int) -> None:
        if not self.left:  # the test is over, and the other end closed
            return
        self.threads.add(threading.get_ident())
        try:
            self.left = self.left[self._sock.send(self.left) :]
        except BlockingIOError:
            return
        if not self.left:
            self._loop.update_handler(fd, self._loop.READ)


@pytest.fixture
def lock():
    return threading.RLock()


@pytest.fixture
def loop(lock) -> Iterator[Loop]:
    """A loop that runs. Who gives it sockets asks for them first: they must outlive it."""
    loop = Loop(lock, lambda: None, lambda: False)
    thread = threading.Thread(target=loop.start)
    thread.start()
    yield loop
    loop.stop()
    thread.join(10)
    loop.close()
    assert not thread.is_alive()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    there.settimeout(10)
    with here, there:
        yield here, there


def read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += sock.recv(65536)
    return data


def test_who_writes_sends_itself_once_the_connection_stands(pair, loop, lock):
    here, there = pair
    loop.eager = True
    with lock:
        writer = Writer(loop, here)
        writer.write(b"hello")
        loop.flush()

    assert read(there, 5) == b"hello"
    assert writer.threads == {threading.get_ident()}


def test_before_that_the_loops_own_thread_sends(pair, loop, lock):
    here, there = pair
    with lock:
        writer = Writer(loop, here)
        writer.write(b"hello")
        loop.flush()

    assert read(there, 5) == b"hello"
    assert threading.get_ident() not in writer.threads


def test_what_a_socket_does_not_take_at_once_is_sent_later(pair, loop, lock):
    here, there = pair
    loop.eager = True
    data = bytes(range(256)) * 40_000
    with lock:
        writer = Writer(loop, here)
        writer.write(data)
        loop.flush()
        assert writer.left

    assert read(there, len(data)) == data


def test_calls_come_from_the_loops_thread_in_their_order_and_timers_when_they_are_due(loop):
    called: list[tuple[str, bool]] = []
    done = threading.Event()

    def note(name: str) -> None:
        called.append((name, loop.is_own_thread))

    loop.call_later(0.2, done.set)
    withdrawn = loop.call_later(0.1, lambda: note("withdrawn"))
    loop.call_later(0.05, lambda: note("later"))
    loop.add_callback(lambda: note("soon"))
    loop.add_callback(lambda: note("then"))
    loop.remove_timeout(withdrawn)

    assert done.wait(10)
    assert called == [("soon", True), ("then", True), ("later", True)]


def test_what_is_due_when_the_lock_was_let_go_is_filled_in_without_being_asked_again(lock):
    waiting, filled = ["one"], threading.Event()

    def fill() -> None:
        if waiting:
            waiting.clear()
            filled.set()

    loop = Loop(lock, fill, lambda: bool(waiting))
    thread = threading.Thread(target=loop.start)
    thread.start()
    assert filled.wait(10)

    filled.clear()
    with lock:
        loop.add_callback(lambda: waiting.append("two"))
    assert filled.wait(10)
    loop.stop()
    thread.join(10)
    loop.close()


def test_a_loop_that_was_stopped_before_it_began_does_not_run(lock):
    loop = Loop(lock, lambda: None, lambda: False)
    loop.stop()

    loop.start()

    loop.close()
    loop.add_callback(lambda: None)  # nothing hears it, nothing breaks
