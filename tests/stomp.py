"""STOMP over a WebSocket by hand: how a phone speaks to the broker."""

import asyncio
import ssl
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from broker_config.node import Node

T = TypeVar("T")
_TWO_WAYS = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"}
_BACK = {escaped: plain for plain, escaped in _TWO_WAYS.items()}


class Refused(Exception):
    """The broker answered with an ERROR, or ended the connection."""


@dataclass(frozen=True)
class Frame:
    """What came: a command, its headers, its body."""

    command: str
    headers: dict[str, str]
    body: bytes


def encode(command: str, headers: dict[str, object], body: bytes = b"") -> bytes:
    """Return a frame as it travels."""
    lines = [f"{key}:{''.join(_TWO_WAYS.get(c, c) for c in str(value))}\n" for key, value in headers.items()]
    return f"{command}\n{''.join(lines)}\n".encode() + body + b"\0"


def decode(data: bytes) -> Frame:
    """Read one frame."""
    head, _, body = data.partition(b"\n\n")
    command, *lines = head.decode().split("\n")
    pairs = [line.partition(":") for line in lines]
    return Frame(command, {key: _plain(value) for key, _, value in pairs}, body.rstrip(b"\n").removesuffix(b"\0"))


def _plain(value: str) -> str:
    for escaped, plain in _BACK.items():
        value = value.replace(escaped, plain)
    return value


class Stomp:
    """A WebSocket to a broker's web STOMP, without a login as yet."""

    def __init__(self, url: str, trusting: ssl.SSLContext | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._asked = 0
        self._early: list[Frame] = []
        self._ended: str | None = None
        self._socket = self._run(_open(HTTPRequest(url, ssl_options=trusting)))

    def login(self, vhost: str, heart_beat: str = "0,0", **headers: object) -> Frame:
        """Log in, and return what the broker says to that.

        Raises:
            Refused: it does not let that user in.
        """
        asked = {"accept-version": "1.2", "host": vhost, "heart-beat": heart_beat, **headers}
        self.write(encode("CONNECT", asked))
        return self._expect("CONNECTED")

    def write(self, data: bytes) -> None:
        """Write one message of the WebSocket.

        Raises:
            Refused: the connection has ended.
        """
        try:
            self._run(self._write(data))
        except WebSocketClosedError:
            raise Refused("closed") from None

    def tell(self, command: str, body: bytes = b"", **headers: object) -> None:
        """Write a frame, and wait for nothing; ``_`` in a header's name is a ``-``."""
        self.write(encode(command, {key.replace("_", "-"): value for key, value in headers.items()}, body))

    def do(self, command: str, body: bytes = b"", **headers: object) -> None:
        """Have the broker do something, and wait until it has.

        Raises:
            Refused: it did not.
        """
        self._asked += 1
        self.tell(command, body, receipt=self._asked, **headers)
        self._expect("RECEIPT")

    def subscribe(self, queue: str, **headers: object) -> None:
        """Hear a queue that stands, as a phone does."""
        asked = {"id": queue, "ack": "client-individual", "prefetch_count": 1} | headers
        self.do("SUBSCRIBE", destination=f"/amq/queue/{queue}", **asked)

    def publish(self, exchange: str, key: str, body: bytes = b"{}", **headers: object) -> None:
        """Publish, and wait until the broker has taken it."""
        self.do("SEND", body, destination=f"/exchange/{exchange}/{key}", **headers)

    def message(self, seconds: float = 20) -> Frame:
        """Return the next message, which has to come within so many seconds.

        Raises:
            Refused: an error came in its place.
        """
        return self._expect("MESSAGE", seconds)

    def is_silent(self, seconds: float = 0.5) -> None:
        """Make sure that no message comes for so long."""
        try:
            raise AssertionError(f"heard {self.message(seconds)}")
        except TimeoutError:
            return

    def vanish(self) -> None:
        """End the connection without a word, as a phone does that is closed."""
        self._run(self._shut())
        self._ended = "closed by this side"

    def ack(self, message: Frame) -> None:
        self.do("ACK", id=message.headers["ack"])

    def nack(self, message: Frame) -> None:
        self.do("NACK", id=message.headers["ack"])

    def end(self, seconds: float = 20) -> str:
        """Wait until the broker ends the connection, and return the last that it said."""
        said = ""
        try:
            while True:
                said = str(self._next(seconds))
        except Refused as ended:
            return said or str(ended)

    def close(self) -> None:
        """Close the connection, and wait until the broker has closed it too."""
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self.end()
        self._loop.close()

    def _expect(self, command: str, seconds: float = 20) -> Frame:
        kept = next((frame for frame in self._early if frame.command == command), None)
        if kept:
            self._early.remove(kept)
            return kept
        while (frame := self._next(seconds)).command != command:
            if frame.command == "ERROR":
                raise Refused(f"{frame.headers.get('message')}: {frame.body.decode()}")
            self._early.append(frame)
        return frame

    def _next(self, seconds: float) -> Frame:
        if self._ended:
            raise Refused(self._ended)
        data: str | bytes | None = "\n"
        while data in ("\n", b"\n"):
            data = self._run(self._read(), seconds)
        if data is None:
            self._ended = f"closed: {self._socket.close_code} {self._socket.close_reason}"
            raise Refused(self._ended)
        assert isinstance(data, bytes), "the broker is to send bytes"
        return decode(data)

    async def _read(self) -> str | bytes | None:
        return await self._socket.read_message()

    async def _write(self, data: bytes) -> None:
        await self._socket.write_message(data, binary=True)

    async def _shut(self) -> None:
        self._socket.close()  # it asks for the loop that runs

    def _run(self, work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(work, seconds))


async def _open(request: HTTPRequest) -> WebSocketClientConnection:
    return await websocket_connect(request, subprotocols=["v12.stomp"], max_message_size=64 * 1024 * 1024)


@contextmanager
def stomp(node: Node, vhost: str, user: str, password: str, heart_beat: str = "0,0") -> Iterator[Stomp]:
    """Open a connection of a user to a node's web STOMP."""
    connection = Stomp(f"ws://127.0.0.1:{node.file.web}/ws")
    try:
        connection.login(vhost, heart_beat, login=user, passcode=password)
        yield connection
    finally:
        connection.close()
