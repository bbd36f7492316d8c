"""Tells a broker that said no from one that is not there, in what pika raises for a failed connection."""

from pika.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

_REFUSALS = (AuthenticationError, ProbableAuthenticationError, ProbableAccessDeniedError)
_ACCESS_REFUSED, _NOT_ALLOWED = 403, 530


def is_refusal(error: BaseException) -> bool:
    """Tell whether the broker answered, and refused the login or the virtual host."""
    cause = root_cause(error)
    if isinstance(cause, ConnectionClosedByBroker):
        return cause.reply_code in (_ACCESS_REFUSED, _NOT_ALLOWED)
    return isinstance(cause, _REFUSALS)


def root_cause(error: BaseException) -> BaseException:
    """Return what is behind the errors that pika wraps around a failed attempt to connect."""
    while inner := getattr(error, "exceptions", None) or getattr(error, "exception", None):
        tries = inner if isinstance(inner, (list, tuple)) else [inner]
        # One for each address of a host: what the broker at one said counts more than that none is at another.
        error = next(filter(is_refusal, tries), tries[-1])
    if isinstance(error, AMQPConnectionError) and error.args and isinstance(error.args[0], BaseException):
        return root_cause(error.args[0])
    return error
