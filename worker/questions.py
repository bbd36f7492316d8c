"""Questions to the platform over the link that results leave by, answered on its very channel (direct reply-to)."""

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Protocol

import pika
from pika.channel import Channel

from broker_config import names
from broker_config.publication import Publication
from worker.network_clock import NetworkClock

log = logging.getLogger(__name__)

# The broker's own name for "on this very channel"; it needs no queue and no permission.
_REPLIES = "amq.rabbitmq.reply-to"


class Way(Protocol):
    """Where questions leave: a link."""

    def publish(self, publication: Publication) -> "Future[None]":
        """Send a message, or raise a :class:`BrokerError`."""


class Questions:
    """What was asked and is not answered yet. Any number of threads may ask.

    Args:
        user: the device's broker user.
        clock: told what time the platform's answers are from.
    """

    def __init__(self, user: str, clock: NetworkClock) -> None:
        self._user = user
        self._clock = clock
        self._open: dict[str, Future[bytes]] = {}

    def listen(self, channel: Channel) -> None:
        """Hear answers on a link's channel; the broker wants that before anything is asked over it."""
        channel.basic_consume(_REPLIES, self._on_answer, auto_ack=True)

    def ask(self, way: Way, key: str, body: bytes, within: float) -> "Future[bytes]":
        """Ask the platform under that key of ``reports`` and return the future of its answer.

        Whoever does not wait any longer cancels the future; that withdraws what is not sent yet. The broker drops
        a question that nobody has read ``within`` so many seconds.

        Raises:
            BrokerError: the link is closed, or was refused.
        """
        number, answer = uuid.uuid4().hex, Future[bytes]()
        properties = pika.BasicProperties(
            reply_to=_REPLIES, user_id=self._user, correlation_id=number, expiration=str(int(1000 * within))
        )
        question = Publication(names.REPORTS, key, body, properties)
        self._open[number] = answer
        answer.add_done_callback(self._forget(number, question))
        try:
            way.publish(question)
        except BaseException:
            answer.cancel()
            raise
        return answer

    def _forget(self, number: str, question: Publication) -> Callable[["Future[bytes]"], None]:
        def forget(_: "Future[bytes]") -> None:
            self._open.pop(number, None)
            question.confirmed.cancel()

        return forget

    def _on_answer(
        self, _channel: Channel, _method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        answer = self._open.get(properties.correlation_id or "")
        if answer is None or properties.user_id != names.PLATFORM:
            log.debug("answer.dropped", extra={"user": properties.user_id})
            return
        if properties.timestamp:
            self._clock.tell(properties.timestamp)
        try:
            answer.set_result(body)
        except InvalidStateError:
            log.debug("answer.late")
