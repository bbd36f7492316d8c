"""The process of a host's model, as the system sees it."""

from collections.abc import Callable

import psutil

from models.host import ModelHost

Until = Callable[..., None]
#: Work for more than half a minute.
LONG = ["stone " * 250] * 4096


def child_of(parent: psutil.Process, host: ModelHost | None = None) -> psutil.Process:
    ours = [child for child in parent.children() if "models.child" in child.cmdline()]
    if host is not None:
        ours = [child for child in ours if host._process is not None and child.pid == host._process.pid]
    (child,) = ours
    return child


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def has_noticed(host: ModelHost) -> bool:
    """Whether the host knows that its process has ended."""
    return host._process is not None and not host._process.is_alive


def is_busy(process: psutil.Process, seconds: float = 1.0) -> Callable[[], bool]:
    """Return a condition: the process has computed for that long from now on."""
    begin = process.cpu_times().user
    return lambda: process.cpu_times().user > begin + seconds
