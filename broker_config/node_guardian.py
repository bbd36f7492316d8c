"""The guardian of a private node: a small process that starts RabbitMQ and its epmd, and ends both.

It runs in a session of its own, so that Ctrl-C in a terminal does not reach the broker before those who still
need it. With a lifeline (its standard input, held open by whoever started it) the node ends when that process
ends, however it ended.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import psutil

from broker_config.lifeline import watch_lifeline
from broker_config.node_files import NodeFile, environment

_STOP_SECONDS = 20.0


def main() -> None:
    """Run the node of the folder that is the first argument, with the server that is the second."""
    folder, server, lifeline = Path(sys.argv[1]), sys.argv[2], sys.argv[3:] == ["--lifeline"]
    file = NodeFile.load(folder)
    if file is None:
        raise SystemExit(f"{folder} is not a node's folder")
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if lifeline:
        watch_lifeline(stop.set)
    variables = {**_inherited(), **environment(folder, file)}
    children = _start(server, variables)
    while not stop.wait(0.1) and children[-1].poll() is None:
        pass
    _end(children)


def _inherited() -> dict[str, str]:
    """Return the variables that a node may see: how to find programs and a locale, nothing of RabbitMQ's or ours."""
    keep = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "COMSPEC", "ERLANG_HOME", "APPDATA")
    return {name: os.environ[name] for name in keep if name in os.environ}


def _start(server: str, variables: dict[str, str]) -> list[subprocess.Popen[bytes]]:
    """Start epmd in the foreground, so that none is left as a daemon, then the server."""
    commands = [[epmd, "-address", "127.0.0.1"]] if (epmd := shutil.which("epmd")) else []
    commands.append([server])
    return [
        subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=None if command == [server] else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if command == [server] else subprocess.DEVNULL,
        )
        for command in commands
    ]


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """End the server politely, then whatever of its tree is left, then epmd."""
    tree = psutil.Process().children(recursive=True)
    # The Erlang machine takes SIGTERM as "stop properly"; the shell script around it does not pass it on.
    for process in tree:
        with contextlib.suppress(psutil.Error):
            if process.name().startswith(("beam", "erl.exe")):
                process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    while children[-1].poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in (*tree, *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(tree, timeout=5)


if __name__ == "__main__":
    main()
