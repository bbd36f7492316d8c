"""A private PostgreSQL server in a folder, on a socket, on a lifeline; crashed and started again at will.

The server is the system's (on Debian the package ``postgresql``); its service is not touched.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ops.process import Process
from soak.errors import SoakError

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


class Postgres:
    """One server. It does not run as root, which PostgreSQL refuses."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        # A socket's path has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="starai-pg-"))
        self._process: Process | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")

    @property
    def url(self) -> str:
        """The registry's address on it."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            SoakError: PostgreSQL is not installed, or did not come up.
        """
        command = [sys.executable, "-P", "-m", "soak.postgres_server", str(self.folder)]
        self._process = Process("postgres", command, self._logs)
        until = time.monotonic() + _START_SECONDS
        while subprocess.run([programs() / "pg_isready", "-q", "-h", self.folder], check=False).returncode:
            if self._process.exit_code is not None or time.monotonic() > until:
                raise SoakError(f"PostgreSQL did not start.\n{self._process.last_words()}")
            time.sleep(0.1)

    def crash(self) -> None:
        """End it as a crash would: nothing is written down any more, and the next start recovers."""
        if self._process:
            self._process.release()
            self._process.wait(_STOP_SECONDS)

    def remove(self) -> None:
        """End it and remove all of it."""
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs.

    Raises:
        SoakError: it is not installed.
    """
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent  # a link may stand there alone
    # Debian keeps them off the path, a folder for each version.
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise SoakError("PostgreSQL is not here: on Debian, apt install postgresql.")
    return versions[-1].parent


def unprivileged() -> dict[str, Any]:
    """Return as whom to run it, for :mod:`subprocess`."""
    return {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
