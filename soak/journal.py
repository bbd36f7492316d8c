"""A submitter's own count: what it submitted and what it was told, written down as it happens.

One JSON object a line, so that a submitter that is killed leaves all that it knew.
"""

import json
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soak.end import End


@dataclass
class Entry:
    """One task, as its submitter knows it.

    Attributes:
        ended: how it ended, or ``None`` while that was not told.
        detail: why, in words; ``source``: ``reply`` where it was told by itself, ``ledger`` where it was asked for.
        told: how often an end was written down; ``at`` when first, in Unix time.
    """

    task: str
    submitted: dict[str, Any] | None = None
    ended: End | None = None
    detail: str = ""
    source: str = ""
    told: int = 0
    at: float = 0.0


class Journal:
    """Writes entries to a file; any thread may."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def submitted(self, task: str, **what: Any) -> None:
        """A task was submitted, and taken by the broker."""
        self._write({"event": "submitted", "task": task, **what})

    def ended(self, task: str, end: End, detail: str, source: str) -> None:
        """Its submitter was told how it ended."""
        self._write({"event": "ended", "task": task, "end": end, "detail": detail[:300], "source": source})

    def note(self, what: str) -> None:
        """Something else that is worth to be known."""
        self._write({"event": "note", "what": what})

    def _write(self, entry: dict[str, Any]) -> None:
        line = json.dumps({"at": round(time.time(), 3), **entry}) + "\n"
        with self._lock:
            os.write(self._file, line.encode())


@dataclass
class Reader:
    """Reads a journal as it grows."""

    path: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> dict[str, Entry]:
        """Read what is new; return all entries by their tasks."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                fresh = file.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._offset += len(whole)
            self._take(json.loads(line) for line in whole.splitlines())
        return self.entries

    def _take(self, lines: Iterable[dict[str, Any]]) -> None:
        for line in lines:
            if line["event"] == "note":
                self.notes.append(line["what"])
                continue
            entry = self.entries.setdefault(line["task"], Entry(line["task"]))
            if line["event"] == "submitted":
                entry.submitted = line
                continue
            entry.told += 1
            if entry.ended is None:
                entry.ended, entry.detail, entry.source = End(line["end"]), line["detail"], line["source"]
                entry.at = line["at"]
