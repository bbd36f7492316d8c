"""The one edge at which errors of the web become ours: what happened, to what, and what to do about it.

No message has anything of a request or of its address in it: a token is in the one, a signature may be in the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from starai.errors import ModelUnavailable

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
# Seconds that anybody would wait because a server said so.
_LONGEST_WAIT = 120.0


@dataclass(frozen=True)
class Place:
    """Where a model is fetched from.

    Attributes:
        where: what it is called.
        denied: what to do where it does not let one in.
        absent: what to do where it has no such thing.
        network: what to do where it does not answer.
    """

    model: str
    where: str
    denied: str
    absent: str
    network: str


class Passing(ModelUnavailable):
    """What may go by itself.

    Attributes:
        wait: seconds after which the server wants to be asked again, if it said so.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@contextmanager
def telling(place: Place) -> Iterator[None]:
    """Raise what goes wrong with the web in here as errors of ours.

    Raises:
        Passing: it may go by itself.
        ModelUnavailable: it does not.
    """
    try:
        yield
    except httpx2.HTTPError as error:
        raise _told(error, place) from None
    except httpx2.InvalidURL:
        raise _no_address(place) from None


@contextmanager
def telling_of_hub(place: Place) -> Iterator[None]:
    """Raise what goes wrong with the hub's own library in here as errors of ours, in the same way."""
    try:
        with telling(place):
            yield
    except ConnectionError:  # it was told that there is no network
        raise ModelUnavailable(
            f"The model {place.model} cannot be fetched while HF_HUB_OFFLINE is set. Remove that from the environment."
        ) from None
    except (ValueError, TypeError, KeyError):  # it could not make sense of the answer
        raise ModelUnavailable(
            f"The model {place.model} cannot be fetched: what answers for {place.where} is no hub. "
            "If HF_ENDPOINT is set, look whether it is a mirror's address."
        ) from None


def _told(error: httpx2.HTTPError, place: Place) -> ModelUnavailable:
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response):
        return refusal(response, place)
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.TooManyRedirects):
        return _no_address(place)
    how = "did not answer in time" if isinstance(error, httpx2.TimeoutException) else "could not be reached, or hung up"
    return Passing(
        f"The model {place.model} could not be fetched: {place.where} {how}. {place.network} "
        "What was fetched is kept, so that the next try goes on from there."
    )


def _no_address(place: Place) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {place.model} cannot be fetched: the address of {place.where}, or the token for it, is none."
    )


def refusal(response: httpx2.Response, place: Place) -> ModelUnavailable:
    """Return what a refusal means."""
    status, begin = response.status_code, f"The model {place.model} could not be fetched: {place.where}"
    if status in (401, 403):
        return ModelUnavailable(f"{begin} does not let you in ({status}). {place.denied}")
    if status in (404, 410):
        return ModelUnavailable(f"{begin} has no such file ({status}). {place.absent}")
    if status == 429:
        return Passing(f"{begin} was asked too often (429). Try again in some minutes.", _wait(response))
    if status in _BUSY:
        return Passing(f"{begin} has a failure of its own ({status}). Try again later.", _wait(response))
    return ModelUnavailable(f"{begin} answered with {status}. {place.absent}")


def _wait(response: httpx2.Response) -> float | None:
    said = response.headers.get("retry-after", "")
    return min(float(said), _LONGEST_WAIT) if said.isdecimal() else None
