"""What a device is told of cancelled tasks: by an order when one is cancelled, and all of them when it connects."""

from typing import Annotated, NamedTuple

from pydantic import Field

from tasks.envelope import Message, read, write

#: The most cancelled tasks that a device is told at once when it connects: the newest.
MOST_CANCELLED = 10_000
# Bytes of their JSON: two names of 63 and 64 characters, a time, and what stands between.
_MOST_BYTES = MOST_CANCELLED * 160


class Cancellation(NamedTuple):
    """A task that its submitter cancelled. It travels as a list of three.

    Attributes:
        expires: Unix time in seconds; from then on no device would begin it anyway.
    """

    submitter: Annotated[str, Field(max_length=63)]
    task: Annotated[str, Field(max_length=64)]
    expires: float


class _Cancelled(Message):
    cancelled: Annotated[list[Cancellation], Field(max_length=MOST_CANCELLED)]


def write_cancelled(cancelled: list[Cancellation]) -> bytes:
    """Return the answer to a device that asks what was cancelled."""
    return write(_Cancelled(cancelled=cancelled), _MOST_BYTES)


def read_cancelled(body: bytes) -> list[Cancellation]:
    """Return what the platform answered.

    Raises:
        InvalidMessage: it is no such answer.
    """
    return read(_Cancelled, body, _MOST_BYTES).cancelled
