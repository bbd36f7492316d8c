"""A page and a model that are small: what the server gives does not depend on what is in them."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from models.catalogue import Catalogue
from models.entry import CatalogueEntry, Kind, LocalFolder, ModelFile
from ops.phone.assets import NEEDED

NAME = "small-model"
ORIGIN = "http://127.0.0.1:8455"
WEIGHTS = bytes(range(256)) * 1024


def build(folder: Path) -> Path:
    """Write what `make page` builds, and return the folder."""
    (folder / "icons").mkdir(parents=True)
    for name in NEEDED:
        content = f"this is {name}".encode()
        is_runtime = name.startswith("ort-")
        (folder / f"{name}.gz" if is_runtime else folder / name).write_bytes(
            gzip.compress(content) if is_runtime else content
        )
    (folder / "icons" / "icon.png").write_bytes(b"\x89PNG")
    (folder / "page.js.LEGAL.txt").write_text("licences")
    (folder / "sources.json").write_text("{}")
    return folder


def model(folder: Path, **more: object) -> CatalogueEntry:
    """Write a model's files to a folder that is its source, and return the model."""
    folder.mkdir(exist_ok=True)
    contents = {
        "model.safetensors": WEIGHTS,
        "tokenizer.json": b"{}",
        "sentence_bert_config.json": json.dumps({"max_seq_length": 256}).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    files = tuple(
        ModelFile(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    entry = CatalogueEntry(
        name=NAME,
        kind=Kind.EMBED,
        parameters=1000,
        weight_bytes=len(WEIGHTS),
        licence="MIT",
        graph="minilm/graph.onnx",
        source=LocalFolder(type="folder", path=folder),
        files=files,
    )
    return entry.model_copy(update=more)


def catalogue(*entries: CatalogueEntry) -> Catalogue:
    return Catalogue(entries)


Ask = Callable[..., httpx.Response]


def asking(app: ASGIApp) -> Ask:
    """Return a function that sends a request and returns the answer, whole."""

    def ask(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(send())

    return ask
