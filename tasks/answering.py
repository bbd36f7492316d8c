"""Answers requests on the very channel that asked (direct reply-to), away from the link's thread.

An answer has its request's ``correlation_id``, so that who asks may ask several things at once.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pika
from pika.channel import Channel

from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerError

log = logging.getLogger(__name__)

_DIRECT_REPLY = "amq.rabbitmq.reply-to."

#: Returns the answer to a message of that validated user; it never raises for what a stranger wrote.
Answer = Callable[[str | None, bytes], bytes]


class Answering:
    """Reads one queue of requests and answers each as its routing key says.

    Args:
        queue: where the requests wait.
        answers: what answers them, by routing key; what has another key is dropped.
        user: the broker user that answers.
        threads: how many requests are answered at once.
    """

    def __init__(self, queue: str, answers: Mapping[str, Answer], user: str, threads: int = 1) -> None:
        self._queue = queue
        self._answers = answers
        self._user = user
        self._threads = ThreadPoolExecutor(threads, f"answers {queue}")

    def consume(self, channel: Channel, link: Link) -> None:
        """Begin to answer what comes over this channel of the link."""
        channel.basic_consume(
            self._queue, lambda _, method, properties, body: self._take(channel, link, method, properties, body)
        )

    def close(self) -> None:
        """Answer no more; what is being answered is waited for."""
        self._threads.shutdown(cancel_futures=True)

    def _take(
        self,
        channel: Channel,
        link: Link,
        method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        tag, key, reply_to = method.delivery_tag or 0, _text(method.routing_key), properties.reply_to or ""
        answer = self._answers.get(key)
        if answer is None or "x-death" in (properties.headers or {}):
            self._drop(channel, tag, properties, f"nothing is answered under the key {key[:80]!r}")
        # Only the broker makes such an address (direct reply-to); any other could be somebody's queue.
        elif not reply_to.startswith(_DIRECT_REPLY):
            self._drop(channel, tag, properties, "no direct reply-to")
        else:
            to = pika.BasicProperties(
                user_id=self._user,
                correlation_id=properties.correlation_id,
                timestamp=int(time.time()),  # by which devices know what time it is here
            )
            self._threads.submit(
                self._reply, channel, link, tag, reply_to, to, lambda: answer(properties.user_id, body)
            )

    @staticmethod
    def _drop(channel: Channel, tag: int, properties: pika.BasicProperties, reason: str) -> None:
        log.warning("request.dropped", extra={"user": properties.user_id, "reason": reason})
        channel.basic_ack(tag)

    @staticmethod
    def _reply(
        channel: Channel, link: Link, tag: int, reply_to: str, to: pika.BasicProperties, answer: Callable[[], bytes]
    ) -> None:
        try:
            link.publish(Publication("", reply_to, answer(), to))
        except BrokerError as error:
            log.warning("request.unanswered", extra={"reason": str(error)})
        except Exception:  # nobody looks at what the executor's future holds
            log.exception("request.crashed")
        link.call_soon(lambda: channel.basic_ack(tag) if channel.is_open else None)


def _text(key: str | bytes | None) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key or ""
