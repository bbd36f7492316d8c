"""Tells a broker that said no from one that is not there, in what pika raises for a failed connection."""

from pika.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from broker_config.errors import BrokerUnreachable

_REFUSALS = (AuthenticationError, ProbableAuthenticationError, ProbableAccessDeniedError)
_ACCESS_REFUSED, _NOT_ALLOWED = 403, 530
# Of a user or of a virtual host; the names before it cannot hold a bracket.
_TOO_MANY = "connection limit ("


def is_refusal(error: BaseException) -> bool:
    """Tell whether the broker answered, and refused the login or the virtual host for good.

    A user that has too many connections is not refused for good: after its network failed the broker still counts
    those that are dead, until it misses their heartbeats.
    """
    cause = root_cause(error)
    if _is_crowded(cause):
        return False
    if isinstance(cause, ConnectionClosedByBroker):
        return cause.reply_code in (_ACCESS_REFUSED, _NOT_ALLOWED)
    return isinstance(cause, _REFUSALS)


def unreachable(address: str, timeout: float, cause: BaseException | None) -> BrokerUnreachable:
    """Return the error for a connection that did not come about in time, as far as it is known why."""
    if cause and _is_crowded(cause):
        why = "has as many connections of this user as it may have. Close others, or wait until dead ones are noticed."
        error = BrokerUnreachable(f"The broker at {address} {why}")
    else:
        error = BrokerUnreachable(
            f"No RabbitMQ answered at {address} within {timeout:g} s. Is it running, and is the address right?"
        )
    error.__cause__ = cause
    return error


def _is_crowded(cause: BaseException) -> bool:
    return _TOO_MANY in str(cause)


def root_cause(error: BaseException) -> BaseException:
    """Return what is behind the errors that pika wraps around a failed attempt to connect."""
    while inner := getattr(error, "exceptions", None) or getattr(error, "exception", None):
        tries = inner if isinstance(inner, (list, tuple)) else [inner]
        # One for each address of a host: what the broker at one said counts more than that none is at another.
        error = next(filter(is_refusal, tries), tries[-1])
    if isinstance(error, AMQPConnectionError) and error.args and isinstance(error.args[0], BaseException):
        return root_cause(error.args[0])
    return error
