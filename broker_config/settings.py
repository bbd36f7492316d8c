"""What can be set about the broker's side, each with its environment variable."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.topology import QueueType


class BrokerSettings(BaseSettings):
    """``STARAI_QUEUE_TYPE``: ``quorum`` (replicated, the default) or ``classic`` (one node)."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    queue_type: QueueType = QueueType.QUORUM
