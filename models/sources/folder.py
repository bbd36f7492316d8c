"""Models in a folder of this machine: linked where that is possible, so that they take no room twice, else copied."""

import os
from collections.abc import Iterator
from pathlib import Path

from models.entry import CatalogueEntry, LocalFolder
from models.sources.source import Offer, OfferedFile, OnBytes, known_offer
from starai.errors import ModelUnavailable

_PIECE = 1 << 20


class FolderSource:
    """One folder."""

    def __init__(self, entry: CatalogueEntry, folder: LocalFolder) -> None:
        self._entry = entry
        self._folder = folder.path.expanduser().absolute()

    def offer(self) -> Offer:
        """Return the files that are known of the model; where none are, all that are in the folder but hidden ones."""
        if not self._folder.is_dir():
            raise ModelUnavailable(f"The model {self._entry.name} is not there: {self._folder} is no folder.")
        return known_offer(self._entry) or Offer(tuple(self._listed()))

    def fetch(self, file: OfferedFile, target: Path, on_bytes: OnBytes) -> None:
        """Link or copy one file."""
        source = self._folder / file.path
        if not source.is_file():
            raise ModelUnavailable(
                f"The model {self._entry.name} is not whole in {self._folder}: {file.path} is missing there."
            )
        target.unlink(missing_ok=True)
        try:
            os.link(source.resolve(), target)
            on_bytes(source.stat().st_size)
        except OSError:  # another disk, or one that knows no links
            _copy(source, target, on_bytes)

    def _listed(self) -> Iterator[OfferedFile]:
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        if not any(path.suffix == ".onnx" for path in paths):
            raise ModelUnavailable(
                f"There is no ONNX model in {self._folder}. Name the folder that the builder wrote; "
                "genai_config.json is in it."
            )
        for path in paths:
            inside = path.relative_to(self._folder)
            if not any(part.startswith(".") for part in inside.parts):
                yield OfferedFile(inside.as_posix(), path.stat().st_size)


def _copy(source: Path, target: Path, on_bytes: OnBytes) -> None:
    target.touch(mode=0o600)
    with source.open("rb") as read, target.open("wb") as write:
        while piece := read.read(_PIECE):
            write.write(piece)
            on_bytes(len(piece))
