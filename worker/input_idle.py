"""For how long nobody has touched a machine's keyboard and mouse, as each system tells it."""

import re
import subprocess
import sys
import time

# A system that does not answer is not asked for longer.
_SECONDS = 2.0
_LINUX = ("loginctl", "show-session", "--property=IdleHint", "--property=IdleSinceHint")
_MAC = ("/usr/sbin/ioreg", "-c", "IOHIDSystem", "-d", "4")
_MILLISECONDS = 2**32


def untouched() -> float:
    """Return the seconds since the last input of whoever uses this machine; infinite where nobody is logged in.

    Raises:
        OSError, ValueError, subprocess.SubprocessError: this system does not tell.
    """
    if sys.platform == "win32":
        return _on_windows()
    if sys.platform == "darwin":
        return in_ioreg(_output(_MAC))
    return in_loginctl(_output(_LINUX), time.time())


def in_loginctl(text: str, now: float) -> float:
    """Return the seconds in what ``loginctl show-session`` prints of the whole machine, at that Unix time.

    logind counts a machine as idle when all its sessions are. A desktop tells it after a while of its own (five
    minutes as a rule), a terminal at once; until then somebody uses it.

    Raises:
        ValueError: the text does not tell.
    """
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if told.get("IdleHint") == "no":
        return 0.0
    if told.get("IdleHint") != "yes":
        raise ValueError("logind does not tell whether the machine is idle")
    since = int(told.get("IdleSinceHint", "0")) / 1e6
    return max(now - since, 0.0) if since else float("inf")


def in_ioreg(text: str) -> float:
    """Return the seconds in what ``ioreg -c IOHIDSystem`` prints.

    Raises:
        ValueError: the text does not tell.
    """
    found = re.search(r'"HIDIdleTime"\s*=\s*(\d+)', text)
    if found is None:
        raise ValueError("ioreg does not tell of input")
    return int(found[1]) / 1e9


def between_ticks(last: int, now: int) -> float:
    """Return the seconds between two counts of Windows' milliseconds, which begin anew after 49.7 days."""
    return ((now - last) % _MILLISECONDS) / 1000


def _output(command: tuple[str, ...]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout


def _on_windows() -> float:
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415

        class LastInput(ctypes.Structure):
            _fields_ = (("size", ctypes.c_uint), ("at", ctypes.c_uint))

        last = LastInput(ctypes.sizeof(LastInput), 0)
        if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(last)):
            raise ctypes.WinError()
        return between_ticks(last.at, ctypes.windll.kernel32.GetTickCount() & (_MILLISECONDS - 1))
    raise OSError("This is not Windows.")
