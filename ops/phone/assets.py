"""The files of the page, as they were built: read whole at the start, so that no path ever comes from a request."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from starai.errors import SettingError

#: Without these there is no page.
NEEDED = (
    "index.html",
    "style.css",
    "manifest.webmanifest",
    "page.js",
    "device.js",
    "model.js",
    "offline.js",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
_TEXT = "; charset=utf-8"
_TYPES = {
    ".html": f"text/html{_TEXT}",
    ".css": f"text/css{_TEXT}",
    ".js": f"text/javascript{_TEXT}",
    ".mjs": f"text/javascript{_TEXT}",
    ".txt": f"text/plain{_TEXT}",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_NOT_WORTH_IT = ".png"


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        content: what it holds, by gzip where ``is_packed``.
        tag: another one for every other content.
    """

    content_type: str
    content: bytes
    is_packed: bool
    tag: str

    @cached_property
    def plain(self) -> bytes:
        """What it holds, as it is."""
        return gzip.decompress(self.content) if self.is_packed else self.content


def built() -> Traversable:
    """Return the folder with the page that this package ships."""
    return resources.files("ops") / "phone" / "built"


def load_assets(folder: Traversable | None = None) -> Mapping[str, Asset]:
    """Return the files of the page, by their paths below it.

    Args:
        folder: what was built; by default what this package ships.

    Raises:
        SettingError: some of it is missing.
    """
    folder = folder or built()
    found = {path.removesuffix(".gz"): _asset(path, file) for path, file in _files(folder) if _type(path)}
    if missing := [name for name in NEEDED if name not in found]:
        raise SettingError(
            f"The page for phones was not built: {folder} lacks {', '.join(missing)}. Build it by `make page`."
        )
    return found


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry


def _type(path: str) -> str | None:
    """Return what a browser is told that the file is; nothing of one that is not the browser's."""
    return _TYPES.get(PurePosixPath(path.removesuffix(".gz")).suffix)


def _asset(path: str, file: Traversable) -> Asset:
    content = file.read_bytes()
    is_packed = not path.endswith(_NOT_WORTH_IT)
    packed = gzip.compress(content, mtime=0) if is_packed and not path.endswith(".gz") else content
    return Asset(_type(path) or "", packed, is_packed, hashlib.sha256(content).hexdigest()[:32])
