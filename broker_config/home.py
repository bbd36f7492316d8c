"""The project's home folder on this machine."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the folder that holds everything StarAI keeps: ``STARAI_HOME``, else the user's data folder."""
    chosen = os.environ.get("STARAI_HOME")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("starai", appauthor=False)


def private_folder(path: Path) -> Path:
    """Make the folder, readable by its owner alone, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
