"""What can be set about the broker's side, each with its environment variable."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.topology import QueueType


class BrokerSettings(BaseSettings):
    """``STARAI_QUEUE_TYPE``: ``quorum`` (replicated, the default) or ``classic`` (one node)."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    queue_type: QueueType = QueueType.QUORUM


class TrustSettings(BaseSettings):
    """How far a client trusts the way to a broker.

    ``STARAI_BROKER_CA`` names the PEM file of the authority to trust, in place of those of this system.
    ``STARAI_BROKER_PLAIN=1`` allows connections that are not encrypted beyond this machine; by default they are
    refused.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    broker_ca: Path | None = None
    broker_plain: bool = False


class ListenerSettings(BaseSettings):
    """How the private node listens beside its plain listener, which is for this machine alone.

    ``STARAI_BROKER_TLS=1`` adds an encrypted listener on this machine. ``STARAI_BROKER_HOST`` is the name or the
    address by which other machines reach this one: with it the encrypted listener is open to them.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    broker_tls: bool = False
    broker_host: str | None = None
