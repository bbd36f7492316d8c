"""Makes broker users that stand only if all that belongs to them was kept."""

from contextlib import ExitStack, suppress

from pydantic import SecretStr

from broker_config.enforce import expel
from broker_config.roles import Role
from broker_config.users import put_user
from ops.access import Access
from starai.errors import BrokerError


def make_user(access: Access, undo: ExitStack, user: str, password: SecretStr, role: Role) -> None:
    """Make a broker user with this password and role; when ``undo`` is unwound, it is expelled again.

    Raises:
        InvalidName: the user's name is not a wire name.
        BrokerUnreachable, BrokerRefused, BrokerError: the management API could not be reached, or refused.
    """
    undo.callback(_expel_if_possible, access, user)
    put_user(access.management, user, password.get_secret_value(), role, access.address.vhost)


def _expel_if_possible(access: Access, user: str) -> None:
    with suppress(BrokerError):  # the error for which all is undone says what is wrong
        expel(access.management, user)
