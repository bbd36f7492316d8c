"""A client library that does what a test says, and requests as their server sees them."""

import asyncio
import json

from starai.generation import FinishReason, Generated

CHAT = {"model": "phi3-3.8b", "messages": [{"role": "user", "content": "a secret question"}]}
STREAM = CHAT | {"stream": True}
MADE = Generated(
    text="Good day", finish_reason=FinishReason.STOP, prompt_tokens=3, tokens=2, first_token_seconds=0, seconds=0
)
#: In place of a piece: nothing more comes.
NEVER = object()


class Job:
    """A task: its result, an error, or nothing that ever comes."""

    id = "task-1"

    def __init__(self, result):
        self._result = result
        self.given_up = False
        self.asked = asyncio.Event()

    @property
    def done(self):
        return self._result is not NEVER

    def __await__(self):
        return self._wait().__await__()

    def give_up(self):
        self.given_up = True

    async def _wait(self):
        self.asked.set()
        if self._result is NEVER:
            await asyncio.Event().wait()
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


class Stream:
    """A stream of pieces, errors among them."""

    def __init__(self, pieces):
        self.job = Job(MADE)
        self.closed = False
        self._pieces = iter(pieces)

    def __aiter__(self):
        return self

    async def __anext__(self):
        piece = next(self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        if piece is NEVER:
            self.job.asked.set()
            await asyncio.Event().wait()
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def aresult(self):
        return MADE

    def close(self):
        self.closed = True

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        self.close()


class Library:
    """What the endpoint asks in place of a client; ``answer`` is a result, an error, or the pieces of a stream."""

    is_connected = True

    def __init__(self, answer=None):
        self.answer = answer
        self.asked = []
        self.made = []
        self.is_closed = False

    async def asubmit(self, model, inputs, **more):
        return self._made(Job, model, inputs, more)

    async def astream(self, model, inputs, **more):
        return self._made(Stream, model, inputs, more)

    def close(self):
        self.is_closed = True

    def _made(self, kind, *asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        self.made.append(kind(self.answer))
        return self.made[-1]


class Visit:
    """One request at the application, whose client leaves, or whose server stops, when the test says."""

    def __init__(self, app, key, body):
        headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {key}".encode())]
        self._scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
        self._scope |= {"query_string": b"", "raw_path": b"/v1/chat/completions", "root_path": "", "scheme": "http"}
        self._body = json.dumps(body).encode()
        self._left = asyncio.Event()
        self._read = False
        self.sent = []
        self.task = asyncio.ensure_future(app(self._scope, self._receive, self._send))

    def leave(self):
        self._left.set()

    @property
    def text(self):
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def _receive(self):
        if not self._read:
            self._read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.sent.append(message)


def error_of(answer):
    """Return what an answer says that went wrong."""
    return answer.json()["error"]
