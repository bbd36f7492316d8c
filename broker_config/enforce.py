"""Makes a device's state true at the broker, whatever the device thinks of it.

An order to a device is a wish. These functions are what comes behind it: each returns when the broker has it.

Both ways out of work close *every* connection of the user. To close only the one that brings tasks would not do:
which one that is, the device says itself; and a channel remembers what its user was once allowed, so that one which
looks idle, or only reads orders, could go on to take tasks after its permissions were narrowed. Closed, it has to
open new channels, and the broker asks anew. What the device has to say is sent again by its link's next connection.
"""

from collections.abc import Iterable
from contextlib import suppress

from broker_config import names
from broker_config.errors import NotAtBroker
from broker_config.management import Management
from broker_config.roles import device_role
from broker_config.users import give_role


def narrow(management: Management, device: str, vhost: str = names.VHOST) -> None:
    """Take a device out of work: it may read its control queue only, and what it held goes to other devices at once.

    Raises:
        BrokerUnreachable, BrokerRefused, BrokerError: the management API could not be reached, or refused.
    """
    give_role(management, device, device_role(device, ()), vhost)
    # Only now: the other way round it would be back before it is narrowed.
    management.close_connections_of(device, "This device is inactive.")


def restore(management: Management, device: str, queues: Iterable[str], vhost: str = names.VHOST) -> None:
    """Let a device read its task queues again; it finds out by trying.

    Raises:
        BrokerUnreachable, BrokerRefused, BrokerError: the management API could not be reached, or refused.
    """
    give_role(management, device, device_role(device, queues), vhost)


def expel(management: Management, user: str) -> None:
    """Let a user never connect again. One that is gone already is left so.

    Raises:
        BrokerUnreachable, BrokerRefused, BrokerError: the management API could not be reached, or refused.
    """
    with suppress(NotAtBroker):
        management.delete_user(user)
    # RabbitMQ closes them by itself, but says so to nobody.
    management.close_connections_of(user, "This user is no part of the network any more.")
