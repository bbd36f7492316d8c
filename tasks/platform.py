"""The platform's side of a task's life: what it answers to submitters."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.address import user_of
from broker_config.link import Link
from registry.database import migrate, open_engine, session
from registry.deployments import hosted_models
from starai.errors import SettingError
from starai.report import report_publication
from tasks.message import sender_reply_queue
from tasks.unplaced import unplaced

log = logging.getLogger(__name__)


class PlatformSettings(BaseSettings):
    """``STARAI_BROKER_URL``: the broker's address for the platform's user."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    broker_url: SecretStr


def platform_url() -> str:
    """Return the broker's address for the platform.

    Raises:
        SettingError: the environment does not name it.
    """
    try:
        return PlatformSettings().broker_url.get_secret_value()
    except ValidationError as error:
        raise SettingError("Set STARAI_BROKER_URL to the broker's address, with the platform's user.") from error


class Platform:
    """What the platform needs to answer: the registry, and a link to the broker."""

    def __init__(self) -> None:
        url = platform_url()
        self._user = user_of(url)
        self._engine = open_engine()
        migrate(self._engine)
        self._link = Link(url, "platform answers")
        self._link.open(timeout=10.0)

    def close(self) -> None:
        """Wait for what is on its way, then disconnect."""
        self._link.close()
        self._engine.dispose()

    def answer_unplaced(self, headers: Mapping[str, Any], properties: Mapping[str, Any], key: str) -> None:
        """Tell the submitter of a task that nobody hosts its model. What names no submitter is dropped, and logged."""
        task, reply_to = headers.get("id"), sender_reply_queue(properties)
        target = key.partition(".")[2]
        if not isinstance(task, str) or reply_to is None:
            log.warning("unplaced.dropped", extra={"target": target[:80]})
            return
        with session(self._engine) as registry:
            report = unplaced(task[:64], target, hosted_models(registry))
        log.info("unplaced.answered", extra={"task": task[:64], "target": target[:80]})
        self._link.publish(report_publication(report, reply_to, self._user)).result(10)
