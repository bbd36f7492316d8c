"""Models on a plain web server."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from models.entry import CatalogueEntry, HttpFolder
from models.sources.download import download
from models.sources.edge import Place
from models.sources.source import Offer, OfferedFile, OnBytes, known_offer
from starai.errors import ModelUnavailable


class HttpSource:
    """A folder on a web server, whose files the catalogue names."""

    def __init__(self, entry: CatalogueEntry, folder: HttpFolder) -> None:
        self._entry = entry
        self._url = folder.url
        self._place = Place(
            model=entry.name,
            where=urlsplit(folder.url).netloc,
            denied=f"Look whether {folder.url} may be read without a password.",
            absent=f"Look whether the address {folder.url} is right.",
            network="Is there a network?",
        )

    def offer(self) -> Offer:
        """Return the files that the catalogue names."""
        if offer := known_offer(self._entry):
            return offer
        raise ModelUnavailable(
            f"The model {self._entry.name} cannot be fetched from {self._url}: a web server does not list its files. "
            "Name them in models.toml, each with its size and sha256; docs/models.md shows how."
        )

    def fetch(self, file: OfferedFile, target: Path, on_bytes: OnBytes) -> None:
        """Fetch one file, and go on with what is there of it."""
        download(f"{self._url}/{quote(file.path)}", target, file.size, on_bytes, self._place)
