"""Hands a device to what this system runs programs in the background with, and asks it about them."""

import getpass
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from starai.errors import ServiceError
from worker.service_files import LABEL, TASK, UNIT, Service, launchd_agent, systemd_unit, windows_task

_SECONDS = 60.0
_OTHERWISE = "Otherwise let whatever starts programs on this machine run `starai-worker start`."


class Manager(Protocol):
    """What a system runs programs in the background with.

    Raises:
        ServiceError: (the methods) it is missing, cannot be reached, or refused.
    """

    def install(self, service: Service) -> str:
        """Have it run the device now and at each login, and return what else the owner may want to know."""

    def remove(self) -> bool:
        """End the device and have it run no more; return whether it did run it."""

    def status(self) -> str | None:
        """Return what it says of the device, or ``None`` where it is not installed."""


def manager() -> Manager:
    """Return this system's."""
    if sys.platform == "win32":
        return TaskScheduler()
    if sys.platform == "darwin":
        return Launchd(Path("~/Library/LaunchAgents").expanduser())
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Systemd(Path(base).expanduser() / "systemd" / "user")


class Systemd:
    """systemd's manager of this user, on Linux.

    Args:
        folder: where the user's units are.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / UNIT

    def install(self, service: Service) -> str:
        """See :class:`Manager`."""
        _systemctl("show", "--property=Version")  # before anything is written
        _write(self._file, systemd_unit(service))
        _systemctl("daemon-reload")
        _systemctl("enable", UNIT)
        _systemctl("restart", UNIT)
        return _lingering()

    def remove(self) -> bool:
        """See :class:`Manager`."""
        if not self._file.exists():
            return False
        _systemctl("disable", "--now", UNIT)
        self._file.unlink()
        _systemctl("daemon-reload")
        return True

    def status(self) -> str | None:
        """See :class:`Manager`."""
        if not self._file.exists():
            return None
        shown = _systemctl("show", UNIT, "--property=ActiveState,SubState,UnitFileState,NRestarts,Result")
        return ", ".join(line for line in shown.splitlines() if line)


class Launchd:
    """launchd for this user, on macOS.

    Args:
        folder: where the user's agents are.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"{LABEL}.plist"

    def install(self, service: Service) -> str:
        """See :class:`Manager`."""
        self.remove()
        _write(self._file, launchd_agent(service).decode())
        _run("launchctl", "bootstrap", _domain(), str(self._file))
        return f"It runs while you are logged in. What it says is in {service.log}."

    def remove(self) -> bool:
        """See :class:`Manager`."""
        if not self._file.exists():
            return False
        if self._loaded() is not None:
            _run("launchctl", "bootout", f"{_domain()}/{LABEL}")
        self._file.unlink()
        return True

    def status(self) -> str | None:
        """See :class:`Manager`."""
        if not self._file.exists():
            return None
        shown = self._loaded()
        if shown is None:
            return "installed, not loaded"
        told = [line.strip() for line in shown.splitlines()]
        return ", ".join(line for line in told if line.startswith(("state =", "pid =", "last exit code =")))

    @staticmethod
    def _loaded() -> str | None:
        done = _ask("launchctl", "print", f"{_domain()}/{LABEL}")
        return done.stdout if done.returncode == 0 else None


class TaskScheduler:
    """Windows' Task Scheduler."""

    def install(self, service: Service) -> str:
        """See :class:`Manager`."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "task.xml"
            file.write_text(windows_task(service, _windows_user()), "utf-16")
            _run("schtasks", "/Create", "/TN", TASK, "/XML", str(file), "/F")
        _run("schtasks", "/Run", "/TN", TASK)
        return "It runs while you are logged in."

    def remove(self) -> bool:
        """See :class:`Manager`."""
        if self.status() is None:
            return False
        _run("schtasks", "/Delete", "/TN", TASK, "/F")
        return True

    def status(self) -> str | None:
        """See :class:`Manager`."""
        done = _ask("schtasks", "/Query", "/TN", TASK, "/FO", "LIST")
        return ", ".join(done.stdout.split("\n")).strip(", ") if done.returncode == 0 else None


def _lingering() -> str:
    user = getpass.getuser()
    done = _ask("loginctl", "show-user", user, "--property=Linger")
    if done.stdout.strip() == "Linger=yes":
        return "It runs whether you are logged in or not. Its log: journalctl --user -u starai-worker"
    return (
        "It runs while you are logged in; to have it run from the machine's start on: "
        f"loginctl enable-linger {user}. Its log: journalctl --user -u starai-worker"
    )


def _systemctl(*arguments: str) -> str:
    try:
        return _run("systemctl", "--user", *arguments)
    except ServiceError as error:
        if "connect to" not in str(error):
            raise
        raise ServiceError(
            f"{error} There is no systemd session of this user: log in as {getpass.getuser()} itself rather than by su "
            f"or sudo, or run `sudo loginctl enable-linger {getpass.getuser()}` once, then set "
            f"XDG_RUNTIME_DIR=/run/user/{os.getuid()}. {_OTHERWISE}"
        ) from error


def _run(*command: str) -> str:
    done = _ask(*command)
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        raise ServiceError(f"`{' '.join(command)}` failed: {said.rstrip('.')}.")
    return done.stdout


def _ask(*command: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except FileNotFoundError as error:
        raise ServiceError(
            f"This system has no {command[0]}, so the device cannot be installed as a service here. {_OTHERWISE}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"`{' '.join(command)}` did not end within {_SECONDS:g} s.") from error


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    except OSError as error:
        raise ServiceError(f"{file} cannot be written: {error.strerror}.") from error


def _domain() -> str:
    return f"gui/{os.getuid()}" if hasattr(os, "getuid") else ""


def _windows_user() -> str:
    domain = os.environ.get("USERDOMAIN")
    return f"{domain}\\{getpass.getuser()}" if domain else getpass.getuser()


def executable(folder: Path) -> Path:
    """Return the absolute path of ``starai-worker`` among the scripts in that folder.

    Raises:
        ServiceError: it is not there.
    """
    for name in ("starai-worker", "starai-worker.exe"):
        if (folder / name).is_file():
            return folder / name
    raise ServiceError(f"There is no starai-worker in {folder}. Install StarAI with pip, and run its starai-worker.")
