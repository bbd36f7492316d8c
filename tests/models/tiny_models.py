"""The small language models as the catalogue would describe them, and what their originals answered."""

import hashlib
import json
from pathlib import Path
from typing import Any

from models.entry import CatalogueEntry, Kind, ModelFile, PyPIPackage

TINY = Path(__file__).with_name("tiny")
NAMES = ("tiny-llama", "tiny-phi3")
ANSWERS: list[dict[str, Any]] = json.loads((TINY / "reference.json").read_text("utf-8"))["answers"]
#: Of each answer, at the most.
MOST = 32


def tiny_entry(name: str) -> CatalogueEntry:
    """Return the catalogue's entry of one."""
    files = tuple(map(_described, sorted((TINY / name).iterdir())))
    return CatalogueEntry(
        name=name,
        kind=Kind.GENERATE,
        parameters=145_000,
        weight_bytes=sum(file.size for file in files),
        kv_bytes_per_token=1024,
        licence="MIT",
        source=PyPIPackage(type="pypi", package="none", version="1", wheel=files[0], folder="none"),
        files=files,
    )


def _described(file: Path) -> ModelFile:
    content = file.read_bytes()
    return ModelFile(path=file.name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
