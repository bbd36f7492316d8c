"""Who uses a model: a lock for each process that does. The system lets go of it with the process, however that ends."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def using(folder: Path, model: str) -> Iterator[None]:
    """Use a model of the store in that folder."""
    is_used(folder, model)  # removes what is left of processes that were killed
    file = folder / f".{model}.use-{uuid.uuid4().hex}.lock"
    try:
        with FileLock(file, mode=0o600):
            yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def is_used(folder: Path, model: str) -> bool:
    """Tell whether a process uses a model."""
    held = [_is_held(file) for file in folder.glob(f".{model}.use-*.lock")]  # all are looked at, and swept
    return any(held)


def _is_held(file: Path) -> bool:
    try:
        with FileLock(file, timeout=0, mode=0o600):
            pass
    except Timeout:
        return True
    with suppress(OSError):  # Windows: another process looks as well
        file.unlink(missing_ok=True)
    return False
