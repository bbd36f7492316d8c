"""The model store: one folder for each model, whole or absent."""

import logging
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock

from broker_config.home import home, private_folder
from models.entry import CatalogueEntry
from models.fetch import fetch
from models.verify import verify
from starai.errors import ModelCorrupt, ModelUnavailable

log = logging.getLogger(__name__)


class ModelStore:
    """The models that this machine has.

    Args:
        folder: where they are kept; ``models`` in the project's home folder if not given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "models"

    def ensure(self, entry: CatalogueEntry) -> Path:
        """Return the model's folder, every file in it verified; fetch the model first if it is not there.

        Several processes may ask at once: one fetches, the others wait for it.

        Raises:
            ModelUnavailable: it is not there and cannot be fetched, or there is no room for it.
            ModelCorrupt: a file is not what the catalogue says, here or at the source.
        """
        target = self.folder / entry.name
        try:
            with FileLock(private_folder(self.folder) / f".{entry.name}.lock"):
                if not target.is_dir():
                    self._fetch(entry, target)
        except OSError as error:
            raise ModelUnavailable(
                f"The model {entry.name} could not be kept in {self.folder}: {error.strerror or error}. "
                "Make room there, or set STARAI_HOME to a folder elsewhere."
            ) from error
        verify(entry, target)
        return target

    def repair(self, entry: CatalogueEntry) -> Path:
        """Return the model's folder as :meth:`ensure` does, but fetch the model anew where a file of it is corrupt.

        Raises:
            ModelUnavailable: it cannot be fetched.
            ModelCorrupt: the source gives something else than the catalogue says, or the files cannot be removed.
        """
        try:
            return self.ensure(entry)
        except ModelCorrupt as error:
            self._discard(entry, str(error))
        return self.ensure(entry)

    def _discard(self, entry: CatalogueEntry, reason: str) -> None:
        target = self.folder / entry.name
        with FileLock(private_folder(self.folder) / f".{entry.name}.lock"):
            try:
                verify(entry, target)
            except ModelCorrupt:  # still: another process may have fetched it anew
                log.warning("model.discarded", extra={"model": entry.name, "reason": reason})
                shutil.rmtree(target, ignore_errors=True)

    def _fetch(self, entry: CatalogueEntry, target: Path) -> None:
        """Fetch into a folder aside and put it in place by one rename; the lock is held."""
        begun = time.monotonic()
        prefix = f".{entry.name}.fetch-"
        for leftover in self.folder.glob(f"{prefix}*"):  # of a process that was killed in the middle
            shutil.rmtree(leftover, ignore_errors=True)
        log.info("model.fetching", extra={"model": entry.name})
        with tempfile.TemporaryDirectory(prefix=prefix, dir=self.folder, ignore_cleanup_errors=True) as work:
            files = fetch(entry, Path(work))
            verify(entry, files)
            files.rename(target)
        log.info("model.fetched", extra={"model": entry.name, "seconds": round(time.monotonic() - begun, 1)})
