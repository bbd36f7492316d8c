"""How the operator's commands reach the network: its registry, its broker, and the address that others are given.

The broker is the one that ``STARAI_BROKER_URL`` and ``STARAI_MANAGEMENT_URL`` name, else this machine's private node.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import pika
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine

from broker_config import names
from broker_config.address import address, parameters
from broker_config.management import Management
from broker_config.management_address import management_at
from broker_config.node import Node
from broker_config.node_files import Tls
from broker_config.settings import BrokerSettings, TrustSettings
from broker_config.tls import authority, fingerprint
from broker_config.topology import QueueType
from registry.database import migrate, open_engine
from starai.errors import NodeError, SettingError

_LOCAL = ("127.0.0.1", "localhost", "::1")
_Settings = TypeVar("_Settings", bound=BaseSettings)


class OperatorSettings(BaseSettings):
    """Which broker the operator's commands work on; both are set, or neither, and mean the same to the platform.

    ``STARAI_BROKER_URL`` is the broker's address, as others reach it, with the platform's user, who may also make
    users. ``STARAI_MANAGEMENT_URL`` is that of its management API, without a user. ``STARAI_BROKER_WEB_PORT`` is the
    port of its web STOMP, where it has any: by that, phones join.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore", hide_input_in_errors=True)

    broker_url: SecretStr | None = None
    management_url: SecretStr | None = None
    broker_web_port: Annotated[int, Field(ge=1, le=65535)] | None = None


@dataclass(frozen=True)
class BrokerAddress:
    """Where others find the broker.

    Attributes:
        ca_file: the authority that they have to trust, where it is not one that every system trusts.
        fingerprint: the SHA-256 of that authority's certificate, in hexadecimal.
        web: the port of its web STOMP, for phones, where it has any; it is encrypted if the other is.
    """

    host: str
    port: int
    vhost: str
    tls: bool = False
    ca_file: Path | None = None
    fingerprint: str | None = None
    web: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether it means this machine, wherever it is read."""
        return self.host in _LOCAL

    def url(self, user: str, password: str) -> str:
        """Return the address for a login; it holds the password."""
        return address(tls=self.tls, host=self.host, port=self.port, vhost=self.vhost, user=user, password=password)


@dataclass(frozen=True)
class Access:
    """The network, as its operator reaches it.

    Attributes:
        engine: the registry's, migrated.
        management: the broker's management API.
        url: the broker's address as the platform's user; it holds the password.
        address: where others find the broker.
        queue_type: of the network's task queues.
    """

    engine: Engine
    management: Management
    url: SecretStr
    address: BrokerAddress
    queue_type: QueueType


@contextlib.contextmanager
def open_registry() -> Iterator[Engine]:
    """Open the registry, brought up to date, for as long as the context lasts.

    Raises:
        SettingError, RegistryError: it is not named rightly, could not be reached, or refused.
    """
    engine = open_engine()
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def open_access() -> Iterator[Access]:
    """Reach the network, for as long as the context lasts.

    Raises:
        SettingError: the environment names a broker in a way that cannot be used.
        BrokerUntrusted: what it names would be spoken to in the clear, beyond this machine.
        NodeError: it names none, and the private node does not run, or without the encrypted listener asked for.
        RegistryError: the registry could not be reached, or refused.
    """
    management, url, address = _broker()
    queue_type = _settings(BrokerSettings).queue_type
    with open_registry() as engine:
        yield Access(engine, management, url, address, queue_type)


def only_here(address: BrokerAddress) -> str:
    """Return what to tell of an address that works on this machine alone."""
    return (
        f"It works on this machine alone, because it names the broker as {address.host}. For other machines, set "
        "STARAI_BROKER_HOST to the name by which they reach this one, where the node is started and here; of a "
        "broker that STARAI_BROKER_URL names, write that name there."
    )


def _broker() -> tuple[Management, SecretStr, BrokerAddress]:
    settings = _settings(OperatorSettings)
    if settings.broker_url and settings.management_url:
        url = settings.broker_url
        management = management_at(settings.management_url.get_secret_value(), url.get_secret_value())
        return management, url, _named_address(parameters(url.get_secret_value()), settings.broker_web_port)
    if settings.broker_url or settings.management_url:
        there, missing = ("BROKER", "MANAGEMENT") if settings.broker_url else ("MANAGEMENT", "BROKER")
        raise SettingError(
            f"STARAI_{there}_URL is set and STARAI_{missing}_URL is not: set both to operate that network, "
            "or neither to operate the one on this machine."
        )
    node = _running(Node())
    return node.api, SecretStr(node.url()), _node_address(node)


def _named_address(found: pika.URLParameters, web: int | None) -> BrokerAddress:
    pem = authority() if found.ssl_options else None
    return BrokerAddress(
        host=found.host,
        port=found.port,
        vhost=found.virtual_host,
        tls=found.ssl_options is not None,
        ca_file=TrustSettings().broker_ca if pem else None,
        fingerprint=_fingerprint(pem) if pem else None,
        web=web,
    )


def _fingerprint(pem: str) -> str:
    if pem.count("BEGIN CERTIFICATE") != 1:
        raise SettingError("STARAI_BROKER_CA names a file with several certificates: leave the broker's authority.")
    return fingerprint(pem)


def _running(node: Node) -> Node:
    if node.status() is None:
        raise NodeError(
            f"No network runs on this machine (in {node.folder.parent}). Start it with `starai up` or "
            "`starai broker start`, or name another by STARAI_BROKER_URL and STARAI_MANAGEMENT_URL."
        )
    return node


def _node_address(node: Node) -> BrokerAddress:
    tls, file = Tls.from_environment(), node.file
    if tls:
        node.tls_url()  # refuses where the node was started without
    if file.amqps is None:
        return BrokerAddress("127.0.0.1", file.amqp, names.VHOST, web=file.web)
    host = (tls.host if tls else None) or "localhost"
    trusted = node.authority
    return BrokerAddress(host, file.amqps, names.VHOST, True, trusted.file, trusted.fingerprint, file.webs)


def _settings(kind: type[_Settings]) -> _Settings:
    try:
        return kind()
    except ValidationError as error:
        wrong = ", ".join(f"STARAI_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingError(f"The environment has a setting that cannot be used: {wrong}.") from error
