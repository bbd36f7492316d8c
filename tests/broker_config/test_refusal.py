"""A broker that said no, told from one that is not there."""

import pytest
from pika.adapters.utils.connection_workflow import AMQPConnectionWorkflowFailed, AMQPConnectorAMQPHandshakeError
from pika.exceptions import (
    AMQPConnectionError,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    StreamLostError,
)

from broker_config.refusal import is_refusal, root_cause, unreachable

LOGIN = ConnectionClosedByBroker(403, "ACCESS_REFUSED - Login was refused")
VHOST = ConnectionClosedByBroker(530, "NOT_ALLOWED - vhost not found")


@pytest.mark.parametrize("error", [LOGIN, VHOST, ProbableAuthenticationError("x"), ProbableAccessDeniedError("x")])
def test_a_refused_login_or_virtual_host_is_a_refusal_however_it_is_wrapped(error):
    wrapped = AMQPConnectionWorkflowFailed([OSError("first address"), AMQPConnectorAMQPHandshakeError(error)])

    assert is_refusal(error)
    assert is_refusal(wrapped)
    assert is_refusal(AMQPConnectionError(wrapped))
    assert root_cause(wrapped) is error


def test_a_user_that_has_too_many_connections_is_not_refused_for_good():
    crowded = ProbableAccessDeniedError("(530) NOT_ALLOWED - user connection limit (2) is reached")

    assert not is_refusal(AMQPConnectionWorkflowFailed([crowded]))
    assert "as many connections of this user as it may have" in str(unreachable("amqp://ann@host", 1, crowded))
    assert "Is it running" in str(unreachable("amqp://ann@host", 1, OSError()))
    assert "Is it running" in str(unreachable("amqp://ann@host", 1, None))


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), StreamLostError("gone"), ConnectionClosedByBroker(320, "CONNECTION_FORCED"), OSError()],
)
def test_a_broker_that_is_gone_or_going_is_no_refusal(error):
    assert not is_refusal(AMQPConnectionWorkflowFailed([error]))
