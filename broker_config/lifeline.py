"""The lifeline: a process that ends when the one that started it ends, however that one ended.

Whoever starts the process holds its standard input open and writes nothing. The system closes it with the
starter, also after SIGKILL, and on every system.
"""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parent.parent


def spawn(
    command: Sequence[str], log: Path, *, lifeline: bool = True, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a Python process of ours in a session of its own, its output in ``log``.

    Out of reach of the terminal's Ctrl-C, it ends when it is told to, or with its lifeline.

    Args:
        command: the executable and its arguments.
        log: the file for what it prints, readable by its owner alone.
        lifeline: whether to hold its standard input open, for :func:`watch_lifeline` there.
        environment: variables to add to this process's own.
    """
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **(environment or {})}
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        return subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def release(process: "subprocess.Popen[bytes]") -> None:
    """Let go of a process's lifeline: it ends by itself, cleanly."""
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def watch_lifeline(on_end: Callable[[], None]) -> None:
    """Call ``on_end``, on a thread of its own, once standard input has ended."""

    def watch() -> None:
        # Not through sys.stdin: Python ends in a fatal error when a daemon thread still holds its lock.
        while os.read(0, 1024):
            pass
        on_end()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
