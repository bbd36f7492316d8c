"""Declares a topology at a broker with pika; declaring it again changes nothing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from broker_config.address import parameters, safe_address
from broker_config.errors import BrokerRefused, BrokerUnreachable, TopologyMismatch
from broker_config.refusal import is_refusal, root_cause
from broker_config.tls import untrusted
from broker_config.topology import Binding, Topology

_PRECONDITION_FAILED = 406


def apply(url: str, topology: Topology) -> None:
    """Make sure that everything in the topology exists at the broker.

    Raises:
        BrokerUnreachable: nobody answered.
        BrokerRefused: the user may not declare it.
        BrokerUntrusted: the connection is not encrypted, or the broker's certificate is not to be trusted.
        TopologyMismatch: something of that name stands there with other arguments; RabbitMQ does not change
            those, so it has to be deleted (empty) or the setting changed back.
    """
    with _channel(url) as channel:
        for exchange in topology.exchanges:
            channel.exchange_declare(exchange.name, exchange.type, durable=True, arguments=dict(exchange.arguments))
        for queue in topology.queues:
            channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
        for binding in topology.bindings:
            _bind(channel, binding)


def remove_idle(url: str, queues: Iterable[str]) -> None:
    """Delete those of the queues, all of which stand, that nobody reads and in which nothing waits.

    Raises:
        BrokerUnreachable, BrokerRefused, BrokerUntrusted: as :func:`apply` does; one of them does not stand.
    """
    with _channel(url) as channel:
        for queue in queues:
            # Not by the broker's own if-unused and if-empty, which quorum queues do not know.
            found = channel.queue_declare(queue, passive=True).method
            if not found.message_count and not found.consumer_count:
                channel.queue_delete(queue)


def _bind(channel: BlockingChannel, binding: Binding) -> None:
    if binding.to_exchange:
        channel.exchange_bind(binding.destination, binding.source, binding.key)
    else:
        channel.queue_bind(binding.destination, binding.source, binding.key)


@contextmanager
def _channel(url: str) -> Iterator[BlockingChannel]:
    try:
        with pika.BlockingConnection(parameters(url)) as connection:
            yield connection.channel()
    except ChannelClosedByBroker as error:
        if error.reply_code == _PRECONDITION_FAILED:
            raise TopologyMismatch(
                f"The broker at {safe_address(url)} differs from the topology: {error.reply_text}. "
                "`starai broker check` lists every difference."
            ) from error
        raise BrokerRefused(f"The broker at {safe_address(url)} refused: {error.reply_text}.") from error
    except (AMQPConnectionError, OSError) as error:  # a host name that nobody knows is a plain OSError
        if is_refusal(error):
            raise BrokerRefused(f"The broker at {safe_address(url)} refused the login or the virtual host.") from error
        if unsafe := untrusted(root_cause(error), safe_address(url)):
            raise unsafe from error
        raise BrokerUnreachable(
            f"No RabbitMQ answers at {safe_address(url)} ({type(error).__name__}). Is it running?"
        ) from error
