"""Gives a user its role at the broker, through the management API."""

import secrets

from pydantic import SecretStr

from broker_config import names
from broker_config.errors import InvalidName
from broker_config.management import Management
from broker_config.roles import Role


def new_password() -> SecretStr:
    """Return a password for a broker user: 192 random bits."""
    return SecretStr(secrets.token_urlsafe(24))


def put_user(management: Management, user: str, password: str, role: Role, vhost: str = names.VHOST) -> None:
    """Make sure that the user exists with this password and exactly this role.

    Raises:
        InvalidName: the user's name is not a wire name.
        BrokerUnreachable, BrokerRefused: the management API could not be reached, or refused.
    """
    # Reply queues carry the wire name: users "a.b" and "a-b" would share theirs.
    if names.wire_name(user) != user:
        raise InvalidName(f"{user!r} cannot be a user's name: write {names.wire_name(user)!r}.")
    management.put_user(user, password)
    give_role(management, user, role, vhost)


def give_role(management: Management, user: str, role: Role, vhost: str = names.VHOST) -> None:
    """Give a user that exists exactly this role. What it may do on a channel that is open it still may there."""
    management.put_user_limits(user, connections=role.connections, channels=role.channels)
    management.put_permissions(vhost, user, configure=role.configure, write=role.write, read=role.read)
    # RabbitMQ 4.3 refuses a topic permission for an exchange that does not stand yet: topology first.
    management.put_topic_permissions(vhost, user, names.RESULTS, write=role.results_write, read=role.results_read)


def grant_everything(management: Management, user: str, vhost: str = names.VHOST) -> None:
    """Let a user that exists do everything in a virtual host, as the platform may."""
    management.put_permissions(vhost, user, configure=".*", write=".*", read=".*")
