"""What the platform answers: submitters whose tasks no queue took, and devices that ask to join."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pika
from pika.channel import Channel
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from broker_config.management import Management
from broker_config.management_address import management_at
from broker_config.publication import Publication
from broker_config.settings import BrokerSettings
from registry.database import migrate, open_engine, session
from registry.deployments import hosted_models
from starai.errors import BrokerError, RegistryError, SettingError
from starai.report import report_publication
from tasks.admission import Admission
from tasks.key_change import KeyChanges
from tasks.message import sender_reply_queue, task_id
from tasks.unplaced import unplaced

log = logging.getLogger(__name__)

_PREFETCH = 100
_DIRECT_REPLY = "amq.rabbitmq.reply-to."

#: Returns the answer to a message of that validated user; it never raises for what a stranger wrote.
Answer = Callable[[str | None, bytes], bytes]


class PlatformSettings(BaseSettings):
    """``STARAI_BROKER_URL``: the broker's address for the platform's user; ``STARAI_MANAGEMENT_URL``: that of its
    management API, without a user. Without the second one nobody can join.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    broker_url: SecretStr
    management_url: str | None = None


def platform_url() -> str:
    """Return the broker's address for the platform.

    Raises:
        SettingError: the environment does not name it.
    """
    try:
        return PlatformSettings().broker_url.get_secret_value()
    except ValidationError as error:
        raise SettingError("Set STARAI_BROKER_URL to the broker's address, with the platform's user.") from error


def management(url: str) -> Management | None:
    """Return the management API that the environment names, as the user of the broker's address."""
    place = PlatformSettings().management_url
    return management_at(place, url) if place else None


class Platform:
    """Answers strangers. What they send are plain messages, never Celery tasks."""

    def __init__(self) -> None:
        url = platform_url()
        self._user = user_of(url)
        self._engine = open_engine()
        self._link = Link(url, "platform answers", self._set_up)
        api = management(url)
        self._admission = Admission(self._engine, api, url, BrokerSettings().queue_type) if api else None
        self._key_changes = KeyChanges(self._engine)
        self._answering = ThreadPoolExecutor(1, "answers")

    def open(self, timeout: float = 10.0) -> None:
        """Bring the registry up to date, connect, and begin to answer.

        Raises:
            RegistryError: the database refused, or could not be reached.
            BrokerUnreachable, BrokerRefused: the broker could not be reached, or refused.
        """
        migrate(self._engine)
        self._link.open(timeout)

    def close(self) -> None:
        """Wait for what is on its way, then disconnect."""
        self._answering.shutdown(cancel_futures=True)
        self._link.close()
        self._engine.dispose()

    def _set_up(self, channel: Channel, ready: Callable[[], None]) -> None:
        channel.basic_qos(prefetch_count=_PREFETCH)
        if self._admission:
            channel.basic_consume(names.ENROLMENT, partial(self._on_request, self._admission.answer))
        else:
            log.warning("join.impossible", extra={"reason": "STARAI_MANAGEMENT_URL is not set"})
        channel.basic_consume(names.REPORTS, partial(self._on_request, self._key_changes.answer))
        channel.basic_consume(names.UNPLACED, self._on_message, callback=lambda _: ready())

    def _on_request(
        self,
        answer: Answer,
        channel: Channel,
        method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        tag, reply_to = method.delivery_tag or 0, properties.reply_to or ""
        # Only the broker makes such an address (direct reply-to); any other could be somebody's queue.
        if not reply_to.startswith(_DIRECT_REPLY):
            log.warning("request.dropped", extra={"user": properties.user_id, "reason": "no direct reply-to"})
            channel.basic_ack(tag)
            return
        self._answering.submit(self._reply, channel, tag, reply_to, lambda: answer(properties.user_id, body))

    def _reply(self, channel: Channel, tag: int, reply_to: str, answer: Callable[[], bytes]) -> None:
        """Answer a request away from the link's thread: it asks the registry and the management API."""
        try:
            self._link.publish(Publication("", reply_to, answer(), pika.BasicProperties(user_id=self._user)))
        except BrokerError as error:
            log.warning("request.unanswered", extra={"reason": str(error)})
        except Exception:  # nobody looks at what the executor's future holds
            log.exception("request.crashed")
        self._link.call_soon(lambda: channel.basic_ack(tag) if channel.is_open else None)

    def _on_message(
        self, channel: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, _body: bytes
    ) -> None:
        tag = method.delivery_tag or 0
        answer = self._answer(properties, method.routing_key or "")
        if answer is None:
            channel.basic_ack(tag)
        else:
            self._link.publish(answer).add_done_callback(lambda told: _settle(channel, tag, told))

    def _answer(self, properties: pika.BasicProperties, key: str | bytes) -> Publication | None:
        """Return the answer to an unplaced task, or nothing where its sender did not say how to answer."""
        text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        target = text.partition(".")[2][:80]
        task, reply_to = task_id(properties.headers or {}), sender_reply_queue(vars(properties))
        if task is None or reply_to is None:
            log.warning("unplaced.dropped", extra={"target": target})
            return None
        log.info("unplaced.answered", extra={"task": task, "target": target})
        return report_publication(unplaced(task, target, self._hosted()), reply_to, self._user)

    def _hosted(self) -> list[str] | None:
        try:
            with session(self._engine) as registry:
                return hosted_models(registry)
        except RegistryError as error:  # the submitter gets an answer all the same
            log.warning("registry.failed", extra={"reason": str(error)})
            return None


def _settle(channel: Channel, tag: int, told: "Future[None]") -> None:
    """Done with a task once its answer is at the broker. One whose submitter cannot be told is not kept for ever."""
    error = told.exception()
    if error:
        log.warning("unplaced.unanswered", extra={"reason": str(error)})
    if channel.is_open:
        channel.basic_ack(tag)
