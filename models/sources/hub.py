"""Models on the Hugging Face hub, or on a mirror of it.

The hub's own library finds the token, the mirror and what there is. It begins a file anew after each run that was cut
off, so the files themselves are fetched as from any web server.
"""

import os
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from models.entry import CatalogueEntry, HuggingFaceRepository, RelativePath
from models.sources.download import download
from models.sources.edge import Place, telling_of_hub
from models.sources.patience import patiently
from models.sources.source import Offer, OfferedFile, OnBytes, known_offer
from starai.errors import ModelUnavailable

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

_HUB = "https://huggingface.co"
# Seconds for the hub to say what is in a repository.
_PATIENCE = 30.0
_path = TypeAdapter(RelativePath)


class HubSource:
    """A repository on the hub."""

    def __init__(self, entry: CatalogueEntry, repository: HuggingFaceRepository) -> None:
        self._entry = entry
        self._repository = repository
        self._endpoint = (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")
        name, host = repository.repository, urlsplit(self._endpoint).hostname or "HF_ENDPOINT"
        self._place = Place(
            model=entry.name,
            where=f"{name} at {host}",
            denied=f"Read and accept its terms at {_HUB}/{name}, then log in with `hf auth login`, or set HF_TOKEN.",
            absent=f"Look at {_HUB}/{name}. If it is private, log in with `hf auth login`, or set HF_TOKEN.",
            network="Is there a network? HF_ENDPOINT names a mirror.",
        )

    def offer(self) -> Offer:
        """Return the files that are known of the model; where none are, what the hub says that there is."""
        return known_offer(self._entry, self._repository.revision) or self._asked()

    def fetch(self, file: OfferedFile, target: Path, on_bytes: OnBytes) -> None:
        """Fetch one file, and go on with what is there of it."""
        from huggingface_hub import get_token, hf_hub_url  # noqa: PLC0415 - it takes a second, and few need it

        name, folder, revision = self._repository.repository, self._repository.folder, self._repository.revision
        url = hf_hub_url(name, file.path, subfolder=folder, revision=revision, endpoint=self._endpoint)
        headers = {"Authorization": f"Bearer {token}"} if (token := get_token()) else {}
        download(url, target, file.size, on_bytes, self._place, headers)

    def _asked(self) -> Offer:
        info = patiently(self._ask)
        if info.sha is None:
            raise ModelUnavailable(f"{self._place.where} did not say of which revision it is. Try again later.")
        # What is fetched is of the very revision that was looked at.
        self._repository = self._repository.model_copy(update={"revision": info.sha})
        files = tuple(filter(None, map(self._of_model, info.siblings or [])))
        if not files:
            raise ModelUnavailable(
                f"{self._place.where} has no file of the model {self._entry.name}. Look at {_HUB}/"
                f"{self._repository.repository}/tree/{self._repository.revision}: it may have been laid out anew."
            )
        return Offer(files, info.sha)

    def _ask(self) -> "ModelInfo":
        from huggingface_hub import HfApi  # noqa: PLC0415 - it takes a second, and few need it

        name, revision = self._repository.repository, self._repository.revision
        with telling_of_hub(self._place):
            api = HfApi(endpoint=self._endpoint, library_name="starai")
            return api.model_info(name, revision=revision, files_metadata=True, timeout=_PATIENCE)

    def _of_model(self, sibling: "RepoSibling") -> OfferedFile | None:
        """Return a file of the repository as one of the model's; ``None`` where it is not."""
        prefix = f"{self._repository.folder}/" if self._repository.folder else ""
        path = sibling.rfilename.removeprefix(prefix)
        if not sibling.rfilename.startswith(prefix) or not self._is_wanted(path) or sibling.size is None:
            return None
        lfs = sibling.lfs
        return OfferedFile(path, sibling.size, lfs.sha256 if lfs else None, None if lfs else sibling.blob_id)

    def _is_wanted(self, path: str) -> bool:
        try:
            parts = Path(_path.validate_python(path)).parts
        except ValidationError:
            return False
        include = self._repository.include
        # A pattern for names is one for the top folder: ``*.json`` is not to match ``onnx/x.json``.
        return not any(part.startswith(".") for part in parts) and (
            not include or any(fnmatch(path, one) and one.count("/") == path.count("/") for one in include)
        )
