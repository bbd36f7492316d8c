"""Asks the platform something and waits for its answer, over a connection of its own."""

import queue
from collections.abc import Callable

import pika
from pika.channel import Channel

from broker_config.address import user_of
from broker_config.errors import BrokerUnreachable
from broker_config.link import Link
from broker_config.publication import Publication

#: Seconds for the platform to answer. It may make a broker user and the queues of new models meanwhile.
ANSWERED_WITHIN = 60.0

_OPEN_TIMEOUT = 10.0
# The broker's own name for "on this very channel"; it needs no queue and no permission.
_REPLIES = "amq.rabbitmq.reply-to"


def call(url: str, ca: str | None, exchange: str, key: str, body: bytes, within: float = ANSWERED_WITHIN) -> bytes:
    """Publish a request as the user of that address, and return what was answered ``within`` so many seconds.

    Raises:
        BrokerUnreachable: the broker could not be reached, or nobody answered in time.
        BrokerRefused, BrokerUntrusted: the broker refused, or is not to be trusted.
    """
    answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen(channel: Channel, ready: Callable[[], None]) -> None:
        channel.basic_consume(
            _REPLIES, lambda _c, _m, _p, answer: answers.put(answer), auto_ack=True, callback=lambda _: ready()
        )

    link = Link(url, f"{key} request", listen, ca=ca)
    link.open(min(_OPEN_TIMEOUT, within))
    try:
        expires = str(int(1000 * within))
        properties = pika.BasicProperties(reply_to=_REPLIES, user_id=user_of(url), expiration=expires)
        link.publish(Publication(exchange, key, body, properties)).result(within)
        return answers.get(timeout=within)
    except (queue.Empty, TimeoutError) as error:
        raise BrokerUnreachable(
            f"Nobody answered the {key} request within {within:g} s. Does the network's platform run?"
        ) from error
    finally:
        link.close()
