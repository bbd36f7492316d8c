"""Runs a PostgreSQL server in a folder until standard input ends; then it ends at once, as a crash would.

Usage: python -m soak.postgres_server FOLDER
"""

import signal
import subprocess
import sys
from pathlib import Path

from broker_config.lifeline import watch_lifeline
from soak.postgres import programs, unprivileged


def main(folder: str) -> None:
    """Make the database cluster where there is none yet, and serve it."""
    data, who = str(Path(folder) / "data"), unprivileged()
    if not Path(data).exists():
        initdb = [_program("initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    command = [_program("postgres"), "-D", data, "-k", folder, "-h", "", "-c", "max_connections=50"]
    with subprocess.Popen(command, cwd=folder, **who) as server:
        watch_lifeline(lambda: server.send_signal(signal.SIGQUIT))
        raise SystemExit(server.wait())


def _program(name: str) -> str:
    return str(programs() / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
