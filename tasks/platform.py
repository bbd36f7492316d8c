"""What the platform answers: submitters whose tasks no queue took, and devices that ask to join."""

import logging
from collections.abc import Callable
from concurrent.futures import Future

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
from starai.errors import RegistryError, SettingError
from starai.report import report_publication
from tasks.admission import Admission
from tasks.answering import Answer, Answering
from tasks.cancellation import Cancellations
from tasks.clearance import Clearances
from tasks.enforcement import Enforcement
from tasks.greeting import GOODBYE, HELLO, STANDING
from tasks.health.greetings import Greetings
from tasks.health.standing_answer import Standings
from tasks.key_change import KeyChanges
from tasks.message import sender_reply_queue, task_id
from tasks.requests import Requests
from tasks.unplaced import unplaced

log = logging.getLogger(__name__)

_PREFETCH = 100
# One device's question that takes long holds up no other's.
_REPORT_THREADS = 8
_REQUEST_THREADS = 2


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
        enforcement = Enforcement(self._engine, api, url) if api else None
        self._answering = [Answering(names.REPORTS, self._of_devices(enforcement), self._user, _REPORT_THREADS)]
        requests = Requests(self._engine, self._link, self._user)
        self._answering.append(Answering(names.REQUESTS_QUEUE, requests.answers, self._user, _REQUEST_THREADS))
        if api:
            admission = Admission(self._engine, api, url, BrokerSettings().queue_type)
            # It makes users and queues meanwhile, for which nobody else is to wait.
            self._answering.append(Answering(names.ENROLMENT, {"join": admission.answer}, self._user))
        else:
            log.warning("join.impossible", extra={"reason": "STARAI_MANAGEMENT_URL is not set"})

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
        for answering in self._answering:
            answering.close()
        self._link.close()
        self._engine.dispose()

    def _of_devices(self, enforcement: Enforcement | None) -> dict[str, Answer]:
        greetings = Greetings(self._engine, enforcement)
        return {
            "rotation": KeyChanges(self._engine).answer,
            "clearance": Clearances(self._engine, self._link, self._user).answer,
            "cancellations": Cancellations(self._engine).answer,
            HELLO: greetings.hello,
            GOODBYE: greetings.goodbye,
            STANDING: Standings(self._engine).answer,
        }

    def _set_up(self, channel: Channel, ready: Callable[[], None]) -> None:
        channel.basic_qos(prefetch_count=_PREFETCH)
        for answering in self._answering:
            answering.consume(channel, self._link)
        channel.basic_consume(names.UNPLACED, self._on_message, callback=lambda _: ready())

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
