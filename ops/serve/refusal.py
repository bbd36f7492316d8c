"""What is answered in place of a result: a refusal in OpenAI's form, and which one each error of ours is."""

from collections.abc import Mapping
from typing import Any

from starai.errors import (
    BadInput,
    BrokerError,
    Cancelled,
    ClientClosed,
    Expired,
    FailedOnDevice,
    InvalidName,
    RegistryError,
    Rejected,
    Restarted,
    StarAIError,
    UnknownModel,
)

#: Seconds after which to try again what there was no place for, or no network.
RETRY_AFTER = {"Retry-After": "2"}
# OpenAI's own clients obey it: what was tried and failed costs the devices as much the second time.
_NOT_AGAIN = {"x-should-retry": "false"}


class Refusal(Exception):
    """A request that is not answered with a result.

    Args:
        status: the HTTP status.
        message: why, for people.
        code: why, for programs.
        param: the parameter that is to blame.
        headers: what else to answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """What OpenAI's clients read."""
        error = {"message": self.message, "type": _kind(self.status), "param": self.param, "code": self.code}
        return {"error": error}


def refusal_of(error: StarAIError) -> Refusal:
    """Return what an error of ours is answered with. Of the broker's it does not say where that is."""
    if isinstance(error, (BrokerError, ClientClosed, RegistryError)):
        return Refusal(
            503, "The network cannot be reached just now: try again.", code="network_unreachable", headers=RETRY_AFTER
        )
    message = str(error)
    if isinstance(error, BadInput):
        return Refusal(400, message)
    if isinstance(error, (UnknownModel, InvalidName)):
        return Refusal(404, message, code="model_not_found", param="model")
    if isinstance(error, Rejected):
        return Refusal(429, message, code="rate_limit_exceeded", headers=RETRY_AFTER)
    return _of_end(error, message)


def _of_end(error: StarAIError, message: str) -> Refusal:
    """Return what a task that was begun and has no result is answered with."""
    if isinstance(error, FailedOnDevice):
        return Refusal(502, message, code="failed_on_device", headers=_NOT_AGAIN)
    if isinstance(error, Expired):
        return Refusal(504, message, code="expired", headers=_NOT_AGAIN)
    if isinstance(error, Cancelled):
        return Refusal(409, message, code="cancelled", headers=_NOT_AGAIN)
    if isinstance(error, Restarted):
        return Refusal(
            502, "Another device began the text anew: what was sent of it is void. Ask again.", code="restarted"
        )
    return failed()


def failed() -> Refusal:
    """Return what an error that nobody foresaw is answered with: nothing of it is told."""
    return Refusal(500, "The server failed at this request. Its log says why.", code="server_failed")


def stopping() -> Refusal:
    """Return what a request is answered with that has not ended when the server has to."""
    return Refusal(503, "The server is being stopped: try again.", code="server_stopping", headers=RETRY_AFTER)


def _kind(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"
