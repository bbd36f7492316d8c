"""Whether a file has changed: a look costs one call of the system."""

from pathlib import Path

_Mark = tuple[int, int, int] | None


class Watched:
    """One file, which need not stand.

    Args:
        path: the file.
        seen: whether what stands now is known already.
    """

    def __init__(self, path: Path, *, seen: bool = True) -> None:
        self._path = path
        self._known = self._last = self._mark() if seen else None

    def has_changed(self) -> bool:
        """Tell whether it is another than at the last look."""
        before, self._known = self._known, self._mark()
        return self._known != before

    def has_settled(self) -> bool:
        """Tell, once, that it has changed and is the same as at the last look.

        An editor may empty a file before it writes it, or remove it and make it anew.
        """
        before, self._last = self._last, self._mark()
        if self._last != before or self._last == self._known:
            return False
        self._known = self._last
        return True

    def _mark(self) -> _Mark:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
