"""A page with the model part in a real Chromium, and the line to its server, on which things go wrong."""

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.entry import CatalogueEntry, Kind, LocalFolder, ModelFile

MIB = 2**20
SMALL = "small-model"
#: Five pieces and a bit.
WEIGHTS = random.Random(1).randbytes(5 * MIB + 77)


class ModelPage:
    """A page that is open in a browser of its own storage."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._context = browser.new_context()
        self.noted: list[str] = []
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(90_000)
        self.page.on("console", lambda message: self.noted.append(message.text))
        self.page.on("pageerror", lambda error: self.noted.append(str(error)))
        self.page.goto(url)

    def do(self, script: str, argument: object = None) -> Any:
        """Run a function of the page, an asynchronous one's body, and return what it returns."""
        return self.page.evaluate(f"async (given) => {{ {script} }}", argument)

    def fault(self, work: str) -> str:
        """Wait for work and return what went wrong, "" if nothing did."""
        return str(self.do(f"return faultOf((async () => {{ {work} }})())"))

    def load(self, name: str, threads: int = 1) -> None:
        """Fetch a model and open a host of it."""
        self.do("globalThis.model = await store.ensure(given, () => {})", name)
        self.do("globalThis.host = await openHost(model, given)", threads)

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed texts."""
        rows = self.do("return packed(await host.run(given))", texts)
        return np.frombuffer(bytes.fromhex(rows), "<f4").reshape(len(texts), -1)

    def close(self) -> None:
        """Close it."""
        self._context.close()


@dataclass
class Cut:
    """An answer that is cut off after so many bytes, once that is due: a browser forgets what it has not read then."""

    after: int
    is_due: bool = False


class Line:
    """Stands between a browser and the server.

    Attributes:
        asked: the ranges of the weights that were asked for, in their order; "" for the whole.
        cuts: how the answers to the next requests for weights are cut off.
        altered: in how many answers with weights the first byte is another one from now on.
        busy: how often the server says from now on that it is not ready.
        lacks: headers that no answer has.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cuts: list[Cut] = []
        self.altered = 0
        self.busy = 0
        self.lacks: tuple[bytes, ...] = ()

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Put it around an application."""

        async def through(scope: Scope, receive: Receive, send: Send) -> None:
            if self.busy and scope["type"] == "http" and "/models/" in scope["path"]:
                self.busy -= 1
                app_now: ASGIApp = PlainTextResponse("", 503, {"Retry-After": "1"})
                await app_now(scope, receive, send)
                return
            await app(scope, receive, self._sending(scope, send))

        return through

    def _sending(self, scope: Scope, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(name, value) for name, value in message["headers"] if name not in self.lacks]
            await send(message)

        if scope["type"] != "http" or not scope["path"].endswith(".safetensors"):
            return sent
        self.asked.append(dict(scope["headers"]).get(b"range", b"").decode())
        return self._weights(sent)

    def _weights(self, send: Send) -> Send:
        came, cut = 0, self.cuts.pop(0) if self.cuts else None
        is_altered, self.altered = self.altered > 0, max(0, self.altered - 1)

        async def sent(message: Message) -> None:
            nonlocal came, is_altered
            body = message.get("body", b"")
            if body and is_altered:
                message["body"], is_altered = bytes([body[0] ^ 1]) + body[1:], False
            came += len(body)
            if cut is not None and came > cut.after:
                while not cut.is_due:
                    await asyncio.sleep(0.01)
                raise ConnectionError
            await send(message)

        return sent


def small_model(folder: Path) -> CatalogueEntry:
    """Write a small model's files to a folder that is its source, and return the model. Nothing can load it."""
    folder.mkdir(exist_ok=True)
    limits = json.dumps({"max_seq_length": 256}).encode()
    contents = {"model.safetensors": WEIGHTS, "tokenizer.json": b"{}", "sentence_bert_config.json": limits}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return CatalogueEntry(
        name=SMALL,
        kind=Kind.EMBED,
        parameters=1000,
        weight_bytes=len(WEIGHTS),
        licence="MIT",
        graph="minilm/graph.onnx",
        source=LocalFolder(type="folder", path=folder),
        files=tuple(_file(name, content) for name, content in contents.items()),
    )


def _file(name: str, content: bytes) -> ModelFile:
    return ModelFile(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
