"""What the audit looks at: a part at a time, so that a look costs the same however many devices there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broker_config import names
from broker_config.management import Management

#: Channels of one look.
CHANNELS = 500


@dataclass(frozen=True)
class Sample:
    """Consumers of one queue, and some channels, as the management API tells of them."""

    consumers: list[dict[str, Any]]
    channels: list[dict[str, Any]]


def sample(
    management: Management, queues: Sequence[str], turn: int, vhost: str = names.VHOST, size: int = CHANNELS
) -> Sample:
    """Return one queue's consumers and one page of channels: turn after turn, all of them.

    Args:
        management: the broker's.
        queues: the task queues that stand; at least one.
        turn: a number that grows by one from look to look.
        vhost: the network's virtual host.
        size: channels of a page.

    Raises:
        BrokerUnreachable, BrokerRefused, NotAtBroker, BrokerError: the management API could not be reached, or
            refused; the queue is gone.
    """
    consumers = management.queue(vhost, queues[turn % len(queues)]).get("consumer_details", [])
    page = 1 + turn % management.channel_pages(size)
    return Sample(consumers, management.channels(vhost, page, size))
