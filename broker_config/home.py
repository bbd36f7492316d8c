"""The project's home folder on this machine."""

import os
import tempfile
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the folder that holds everything StarAI keeps: ``STARAI_HOME``, else the user's data folder."""
    chosen = os.environ.get("STARAI_HOME")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("starai", appauthor=False)


def private_folder(path: Path) -> Path:
    """Make the folder and those above it that are missing, readable by their owner alone, and return it."""
    if not path.parent.exists():
        private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    private_folder(path.parent)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(fresh).replace(path)
    except OSError:  # the disk is full, and is not to be filled with what was not finished
        Path(fresh).unlink(missing_ok=True)
        raise
