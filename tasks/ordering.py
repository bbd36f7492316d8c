"""Gives devices orders, over a connection that is there for nothing else."""

import time
from collections.abc import Mapping

from broker_config.address import user_of
from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerUnreachable
from tasks.order import Order, order_publication

_OPEN_TIMEOUT = 10.0
# For the broker to take all of them.
_TAKEN_WITHIN = 10.0


def give_orders(url: str, orders: Mapping[str, Order]) -> None:
    """Put orders into the control queues of devices; when this returns the broker has them all.

    Args:
        url: the broker's address, as the platform.
        orders: by device.

    Raises:
        BrokerError: the broker could not be reached, refused, or did not take them in time. Some of them may have
            reached their devices.
    """
    publications = [order_publication(device, order, user_of(url)) for device, order in orders.items()]
    link = Link(url, "platform orders")
    link.open(_OPEN_TIMEOUT)
    try:
        link.publish_all(publications)
        until = time.monotonic() + _TAKEN_WITHIN
        for publication in publications:
            _wait(publication, until - time.monotonic())
    finally:
        link.close()


def _wait(publication: Publication, seconds: float) -> None:
    try:
        publication.confirmed.result(max(seconds, 0.0))
    except TimeoutError as error:
        raise BrokerUnreachable(f"The broker did not take the order for device {publication.key} in time.") from error
