"""Freezes a process for a time, and thaws it even if whoever wanted that is gone.

Usage: python -m soak.freeze PID SECONDS; standard input is its lifeline.
"""

import contextlib
import sys
import threading

import psutil

from broker_config.lifeline import watch_lifeline


def main(pid: str, seconds: str) -> None:
    """Freeze the process of that id."""
    thaw = threading.Event()
    watch_lifeline(thaw.set)
    process = psutil.Process(int(pid))
    process.suspend()
    try:
        thaw.wait(float(seconds))
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


if __name__ == "__main__":
    main(*sys.argv[1:])
