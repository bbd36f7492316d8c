"""A model of two files, in a folder, behind a web server, and at a hub; a store of the test's own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.entry import CatalogueEntry
from models.sources import download, patience
from models.store import ModelStore
from tests.models.sources.web import REPOSITORY, Web, serving

#: More than is sent in one piece.
WEIGHTS = bytes(range(256)) * 4000
FILES = {"genai_config.json": b'{"layers": 1}', "model.onnx": b"graph", "model.onnx.data": WEIGHTS}


def an_entry(source: dict[str, object], files: dict[str, bytes] | None = None) -> CatalogueEntry:
    known = [
        {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in (files or {}).items()
    ]
    plain = {"name": "test-model", "kind": "generate", "parameters": 1, "weight_bytes": 1, "licence": "MIT"}
    return CatalogueEntry.model_validate(plain | {"source": source, "files": known})


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that are to be asked again are, after a moment."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(download, "PATIENCE", 2.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "served", FILES)


@pytest.fixture
def web(folder: Path) -> Iterator[Web]:
    with serving(folder) as web:
        yield web


@pytest.fixture
def entry(web: Web) -> CatalogueEntry:
    """The model at the web server."""
    return an_entry({"type": "http", "url": f"{web.url}/"}, FILES)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A hub whose repository has the model in a folder, and other things beside it."""
    files = {f"cpu/{path}": data for path, data in FILES.items()}
    repository = write(
        tmp_path / "hub", files | {"gpu/model.onnx": b"other", ".gitattributes": b"x", "README.md": b"y"}
    )
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with serving(repository) as web:
        monkeypatch.setenv("HF_ENDPOINT", web.url)
        yield web


@pytest.fixture
def at_hub(hub: Web) -> CatalogueEntry:
    return an_entry({"type": "huggingface", "repository": REPOSITORY, "folder": "cpu"})
