"""Windows: closing the console's window, logging off, shutting down. A device leaves as by Ctrl-C, but quickly."""

import sys

from worker.departure import Departure

# CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT; Python itself turns the others into signals.
_EVENTS = frozenset({2, 5, 6})
# Windows ends the process five seconds after it asked, or once its handlers return.
_GRACE = 1.0
_LONGEST = 4.5

_kept: list[object] = []  # Windows holds no reference to what it calls


def on_console_event(departure: Departure, event: int) -> bool:
    """Let the device leave, and wait for it; Windows calls this on a thread of its own.

    Returns:
        Whether the event is one of ours; Windows asks other handlers otherwise.
    """
    if event not in _EVENTS:
        return False
    departure.ask(_GRACE)
    departure.over.wait(_LONGEST)
    return True


def leave_with_console(departure: Departure) -> None:
    """Let the device leave when its console's window is closed, or its user logs off. Windows only."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415

        handler = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: on_console_event(departure, event))
        _kept.append(handler)
        ctypes.windll.kernel32.SetConsoleCtrlHandler(handler, 1)
