"""The files of a private node: its ports and secrets, and the configuration that RabbitMQ reads."""

import hashlib
import random
import secrets
import socket
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from broker_config import names, web_stomp
from broker_config.authority import Authority
from broker_config.errors import NodeError
from broker_config.home import private_folder, write_private
from broker_config.settings import ListenerSettings

#: Seconds of silence after which broker and client take each other for gone.
HEARTBEAT = 10
#: The longest lease that a task may have, in seconds; the broker's own timeout must lie above it.
LONGEST_LEASE = 3600
_CONSUMER_TIMEOUT_MS = 2 * LONGEST_LEASE * 1000
_MAX_MESSAGE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Tls:
    """The encrypted listener of a node.

    Attributes:
        host: the name or address by which other machines reach the node; without one the listener is for this
            machine alone.
    """

    host: str | None = None

    @classmethod
    def from_environment(cls) -> Self | None:
        """Return what ``STARAI_BROKER_TLS`` and ``STARAI_BROKER_HOST`` ask for."""
        settings = ListenerSettings()
        return cls(settings.broker_host) if settings.broker_tls or settings.broker_host else None


class NodeFile(BaseModel):
    """What a node keeps from one start to the next: its ports, its administrator's password.

    ``amqps`` and ``webs`` are the ports of the encrypted listeners, where there are any, of AMQP and of web STOMP; the
    others are on 127.0.0.1. A node that an earlier release started has no ``web``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amqp: int
    management: int
    distribution: int
    epmd: int
    password: str
    amqps: int | None = None
    web: int | None = None
    webs: int | None = None

    @property
    def listeners(self) -> set[int]:
        """The ports on which clients find it."""
        return {self.amqp} | {port for port in (self.amqps, self.web, self.webs) if port}

    @property
    def ports(self) -> tuple[int, ...]:
        """All its ports."""
        return (*sorted(self.listeners), self.management, self.distribution, self.epmd)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return what an earlier start wrote down, or nothing when there was none.

        Raises:
            NodeError: the file is there and cannot be read.
        """
        path = folder / "node.json"
        try:
            return cls.model_validate_json(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise NodeError(f"{path} cannot be read. Remove the folder {folder} to begin with a new node.") from error

    @classmethod
    def ensure(cls, folder: Path, *, encrypted: bool = False) -> Self:
        """Return the node's ports and password; ports that another program took meanwhile are picked anew."""
        kept = cls.load(folder)
        fresh = (kept if kept and kept.is_free() else cls._fresh(kept))._with_listeners(encrypted)
        if fresh != kept:
            write_private(folder / "node.json", fresh.model_dump_json(indent=2))
        return fresh

    def is_free(self) -> bool:
        """Tell whether nobody listens at any of its ports."""
        return all(_is_free(port) for port in self.ports)

    @classmethod
    def _fresh(cls, kept: Self | None) -> Self:
        amqp, management, distribution, epmd = _free_ports(4)
        password = kept.password if kept else secrets.token_urlsafe(24)
        return cls(amqp=amqp, management=management, distribution=distribution, epmd=epmd, password=password)

    def _with_listeners(self, encrypted: bool) -> Self:
        """Return it with a port for each listener that it is to have, and none for another."""
        wanted = {"web": True, "amqps": encrypted, "webs": encrypted}
        missing = [name for name, is_wanted in wanted.items() if is_wanted and getattr(self, name) is None]
        closed = {name: None for name, is_wanted in wanted.items() if not is_wanted}
        picked = dict(zip(missing, _free_ports(len(missing), but=self.ports), strict=True))
        return self.model_copy(update=closed | picked)


def node_name(folder: Path) -> str:
    """Return the Erlang name of the node in a folder, the same at every start and different for every folder."""
    return f"starai-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}@localhost"


def authority_of(folder: Path) -> Authority:
    """Return the authority of the node in a folder."""
    return Authority(folder / "tls")


def write_configuration(folder: Path, file: NodeFile, tls: Tls | None = None) -> None:
    """Write what RabbitMQ reads at its start."""
    private_folder(folder)
    settings = _configuration(file) | (_encrypted(folder, file, tls) if tls else {})
    write_private(folder / "rabbitmq.conf", "".join(f"{key} = {value}\n" for key, value in settings.items()))
    rabbit = f"{{rabbit, [{{consumer_timeout, {_CONSUMER_TIMEOUT_MS}}}]}}"
    write_private(folder / "advanced.config", f"[{rabbit}, {web_stomp.advanced(_MAX_MESSAGE)}].\n")
    write_private(folder / "enabled_plugins", f"[rabbitmq_management, {web_stomp.PLUGIN}].\n")
    write_private(folder / "empty.env", "")


def environment(folder: Path, file: NodeFile) -> dict[str, str]:
    """Return the variables by which a node runs beside any other, its files all in its own folder."""
    return {
        "HOME": str(folder),  # Erlang keeps its cookie there
        "ERL_EPMD_PORT": str(file.epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": node_name(folder),
        "RABBITMQ_DIST_PORT": str(file.distribution),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "empty.env"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": str(folder / "log" / "node.log"),
        "ERL_CRASH_DUMP": str(folder / "log" / "erl_crash.dump"),  # else where the command was started
        "RABBITMQ_PID_FILE": str(folder / "rabbitmq.pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _configuration(file: NodeFile) -> dict[str, object]:
    return {
        "listeners.tcp.local": f"127.0.0.1:{file.amqp}",
        "management.tcp.ip": "127.0.0.1",
        "management.tcp.port": file.management,
        "heartbeat": HEARTBEAT,
        "max_message_size": _MAX_MESSAGE,
        "disk_free_limit.absolute": "100MB",
        "vm_memory_high_watermark.absolute": "2GB",
        "default_vhost": names.VHOST,
        "default_user": names.PLATFORM,
        "default_pass": file.password,
        "default_permissions.configure": ".*",
        "default_permissions.read": ".*",
        "default_permissions.write": ".*",
        "log.file.level": "info",
        "log.console": "false",
        **web_stomp.plain(file.web, _MAX_MESSAGE),
    }


def _encrypted(folder: Path, file: NodeFile, tls: Tls) -> dict[str, object]:
    authority = authority_of(folder)
    authority.ensure((tls.host,) if tls.host else ())
    options = _tls_options(authority)
    listener: dict[str, object] = {"listeners.ssl.network": file.amqps if tls.host else f"127.0.0.1:{file.amqps}"}
    return (
        listener
        | {f"ssl_options.{name}": value for name, value in options.items()}
        # Users prove who they are by their password.
        | {"ssl_options.verify": "verify_none", "ssl_options.fail_if_no_peer_cert": "false"}
        | web_stomp.encrypted(file.webs, _every_address() if tls.host else "127.0.0.1", options)
    )


def _tls_options(authority: Authority) -> dict[str, object]:
    return {
        "cacertfile": authority.file.as_posix(),
        "certfile": authority.certificate.as_posix(),
        "keyfile": authority.certificate.as_posix(),
        "versions.1": "tlsv1.3",
        "versions.2": "tlsv1.2",
    }


def _every_address() -> str:
    """Return the address on which a listener without one of its own has to listen to be found by IPv4 and IPv6."""
    # On Windows the one of IPv6 is for IPv6 alone.
    return "::" if sys.platform != "win32" and socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_ports(count: int, but: tuple[int, ...] = ()) -> list[int]:
    # Below every system's range for outgoing connections, so that none takes a port between this look and the start.
    candidates = random.sample(range(20_000, 32_768), 1000)
    return list(islice((port for port in candidates if port not in but and _is_free(port)), count))
