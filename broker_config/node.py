"""A private RabbitMQ node: its own ports, data, cookie and epmd, under one folder, as any user."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from broker_config import names
from broker_config.address import address
from broker_config.authority import Authority
from broker_config.errors import BrokerError, NodeError
from broker_config.home import home, private_folder, write_private
from broker_config.lifeline import release, spawn
from broker_config.management import Management
from broker_config.node_files import NodeFile, Tls, authority_of, write_configuration
from broker_config.node_server import server_executable

_LOG_LINES = 12
_HOW_TO_ENCRYPT = "stop it, then start it with STARAI_BROKER_TLS=1 or STARAI_BROKER_HOST"
_START_SECONDS = 60.0
_TRIES = 3
# Seconds from the management API's first answer to AMQP's ports, which RabbitMQ opens last; it takes less than one.
_LISTENS_WITHIN = 15.0


class _PortTaken(NodeError):
    """Another program took a port of the node while the node started."""


class _Identity(BaseModel):
    """A process, known by its start time too: a process id is used again after a restart."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Self:
        return cls(pid=pid, started=psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process while it runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


class _Mark(BaseModel):
    """Which process guards the node, and which holds its lifeline, if one does."""

    guardian: _Identity
    holder: _Identity | None

    @classmethod
    def of(cls, guardian: int, holder: int | None) -> Self:
        return cls(guardian=_Identity.of(guardian), holder=_Identity.of(holder) if holder else None)


@dataclass(frozen=True)
class NodeStatus:
    """A node that runs: its guardian's process id, its ports, RabbitMQ's version."""

    pid: int
    amqp: int
    management: int
    version: str
    amqps: int | None = None
    web: int | None = None
    webs: int | None = None


class Node:
    """The node of one folder.

    Args:
        folder: holds everything of the node; by default ``broker`` in the project's home.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or home() / "broker").absolute()
        self._guardian: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> NodeFile:
        """The node's ports and password.

        Raises:
            NodeError: it was never started.
        """
        file = NodeFile.load(self.folder)
        if file is None:
            raise NodeError(f"There is no node in {self.folder}: start one with `starai broker start`.")
        return file

    def url(self, user: str = names.PLATFORM, password: str | None = None, vhost: str = names.VHOST) -> str:
        """Return the node's AMQP address, for the platform's user unless another is named."""
        return self._address(user, password, vhost, tls=False, host="127.0.0.1", port=self.file.amqp)

    def tls_url(
        self, user: str = names.PLATFORM, password: str | None = None, vhost: str = names.VHOST, host: str = "localhost"
    ) -> str:
        """Return the node's encrypted address, under that host name; clients have to trust :attr:`authority`.

        Raises:
            NodeError: it has no encrypted listener.
        """
        if self.file.amqps is None:
            raise NodeError(f"The node in {self.folder} has no encrypted listener: {_HOW_TO_ENCRYPT}.")
        return self._address(user, password, vhost, tls=True, host=host, port=self.file.amqps)

    @property
    def authority(self) -> Authority:
        """Who signs the node's certificate."""
        return authority_of(self.folder)

    @property
    def api(self) -> Management:
        """The node's management API, as the platform's user."""
        file = self.file
        return Management(f"http://127.0.0.1:{file.management}", names.PLATFORM, file.password)

    def start(self, *, timeout: float = 90.0, lifeline: bool = False, tls: Tls | None = None) -> bool:
        """Start the node and wait until it answers; one that runs is left as it is.

        Returns whether this call started it.

        Args:
            timeout: seconds to wait.
            lifeline: bind the node to this process: it ends when this process ends, even by SIGKILL.
            tls: an encrypted listener, by default the one that the environment asks for.

        Raises:
            NodeError: RabbitMQ is not installed, did not come up (with the last lines of its log), or runs without
                the encrypted listener that is asked for.
        """
        server, tls = server_executable(), tls or Tls.from_environment()
        private_folder(self.folder)
        for left in reversed(range(_TRIES)):
            try:
                self._start(server, timeout, lifeline, tls)
                break
            except _PortTaken:  # between the look at it and RabbitMQ's own; the next try picks others
                if not left:
                    raise
        return self._guardian is not None

    def stop(self, timeout: float = 40.0) -> None:
        """Stop the node and wait until no process of it is left. Stopping one that does not run is harmless."""
        self._end_guardian(timeout)

    def status(self) -> NodeStatus | None:
        """Return what runs, or nothing when the node does not answer."""
        process, file = self._guardian_process(), NodeFile.load(self.folder)
        if process is None or file is None:
            return None
        try:
            version = self.api.version()
        except BrokerError:
            return None
        return NodeStatus(process.pid, file.amqp, file.management, version, file.amqps, file.web, file.webs)

    def processes(self) -> list[psutil.Process]:
        """Return every process of the node that runs: guardian, epmd, RabbitMQ and its helpers."""
        guardian = self._guardian_process()
        return [guardian, *guardian.children(recursive=True)] if guardian else []

    def _start(self, server: str, timeout: float, lifeline: bool, tls: Tls | None) -> None:
        with self._alone():
            if self._is_abandoned() or self._guardian_process() is None:
                self._end_guardian()
                write_configuration(self.folder, NodeFile.ensure(self.folder, encrypted=tls is not None), tls)
                self._launch(server, lifeline)
            elif tls:
                self.tls_url()
        try:
            self._wait_until_ready(timeout)
        except BaseException:  # Ctrl-C too leaves nothing half-started
            if self._guardian:
                self.stop()
            raise

    def _address(self, user: str, password: str | None, vhost: str, *, tls: bool, host: str, port: int) -> str:
        secret = self.file.password if password is None else password
        return address(tls=tls, host=host, port=port, vhost=vhost, user=user, password=secret)

    def _launch(self, server: str, lifeline: bool) -> None:
        command = [sys.executable, "-P", "-m", "broker_config.node_guardian", str(self.folder), server]
        (self.folder / "log").mkdir(mode=0o700, exist_ok=True)
        self._guardian = spawn(
            [*command, "--lifeline"] if lifeline else command,
            self.folder / "log" / "console.log",
            lifeline=lifeline,
        )
        mark = _Mark.of(self._guardian.pid, os.getpid() if lifeline else None)
        write_private(self.folder / "guardian.json", mark.model_dump_json())

    def _wait_until_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        answered: float | None = None
        while not self._is_ready():
            now = time.monotonic()
            if self._guardian_process() is None:
                kind = NodeError if self.file.is_free() else _PortTaken
                raise kind(f"RabbitMQ did not start.\n{self._last_words()}")
            if now > deadline:
                raise NodeError(f"RabbitMQ did not answer within {timeout:g} s.\n{self._last_words()}")
            answered = answered or (now if self._answers() else None)
            if (
                answered and now > answered + _LISTENS_WITHIN
            ):  # without a port RabbitMQ 3.10 goes on as if all were well
                raise _PortTaken(f"RabbitMQ does not listen where it should.\n{self._last_words()}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        with contextlib.suppress(BrokerError):  # a port was taken, and RabbitMQ ends for that after it has answered
            return self._answers() and self.file.listeners <= self.api.ports()
        return False

    def _answers(self) -> bool:
        try:
            # RabbitMQ 4.3 answers the aliveness test before its overview works.
            return bool(self.api.version()) and self.api.is_alive(names.VHOST)
        except BrokerError:
            return False

    def _last_words(self) -> str:
        lines: list[str] = []
        for log in ("node.log", "console.log"):
            with contextlib.suppress(OSError):
                lines += (self.folder / "log" / log).read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        return "\n".join([*lines, f"The whole log is in {self.folder / 'log'}."])

    def _guardian_process(self) -> psutil.Process | None:
        mark = self._mark()
        return mark.guardian.find() if mark else None

    def _is_abandoned(self) -> bool:
        """Tell whether the node is about to end because the process that held its lifeline has ended."""
        mark = self._mark()
        return mark is not None and mark.holder is not None and mark.holder.find() is None

    def _mark(self) -> "_Mark | None":
        try:
            return _Mark.model_validate_json((self.folder / "guardian.json").read_text("utf-8"))
        except (OSError, ValidationError):
            return None

    def _end_guardian(self, timeout: float = 40.0) -> None:
        processes = self.processes()
        if processes:
            with contextlib.suppress(psutil.Error):
                processes[0].terminate()
        _, left = psutil.wait_procs(processes, timeout=timeout)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if self._guardian:
            release(self._guardian)
            self._guardian.wait()
            self._guardian = None
        _end_orphans(self.folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time start the node of this folder."""
        lock = FileLock(self.folder / "starting.lock", timeout=_START_SECONDS, mode=0o600)
        try:
            with lock:
                yield
        except Timeout as error:
            raise NodeError(f"Another process has been starting the node in {self.folder} for a minute.") from error


def _end_orphans(folder: Path) -> None:
    """End what a guardian that was killed left of this folder's node."""
    ended = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("HOME") == str(folder) and "ERL_EPMD_PORT" in process.environ():
                process.kill()
                ended.append(process)
    psutil.wait_procs(ended, timeout=5)  # until then they hold the node's ports
