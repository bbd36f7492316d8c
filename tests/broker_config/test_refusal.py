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

from broker_config.refusal import is_refusal, root_cause

LOGIN = ConnectionClosedByBroker(403, "ACCESS_REFUSED - Login was refused")
VHOST = ConnectionClosedByBroker(530, "NOT_ALLOWED - vhost not found")


@pytest.mark.parametrize("error", [LOGIN, VHOST, ProbableAuthenticationError("x"), ProbableAccessDeniedError("x")])
def test_a_refused_login_or_virtual_host_is_a_refusal_however_it_is_wrapped(error):
    wrapped = AMQPConnectionWorkflowFailed([OSError("first address"), AMQPConnectorAMQPHandshakeError(error)])

    assert is_refusal(error)
    assert is_refusal(wrapped)
    assert is_refusal(AMQPConnectionError(wrapped))
    assert root_cause(wrapped) is error


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), StreamLostError("gone"), ConnectionClosedByBroker(320, "CONNECTION_FORCED"), OSError()],
)
def test_a_broker_that_is_gone_or_going_is_no_refusal(error):
    assert not is_refusal(AMQPConnectionWorkflowFailed([error]))
