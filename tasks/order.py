"""An order: what the platform asks of one device. What comes of it is the broker's to enforce."""

import logging
from enum import StrEnum
from typing import Annotated, Self

import pika
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from broker_config import names
from broker_config.publication import Publication
from tasks.cancellation_message import Cancellation
from tasks.probe import MOST_PADDING, Probe

log = logging.getLogger(__name__)

_MOST_CANCELLED = 20
# A probe may bring padding along.
_MAX_BODY = 2 * MOST_PADDING


class Duty(StrEnum):
    """Whether a device is to take tasks."""

    SERVE = "serve"
    REST = "rest"


class Order(BaseModel):
    """What a device is to do from now on: take tasks or not, leave some alone, say how it is.

    Attributes:
        cancel: tasks that it is not to begin, and to stop where it runs them.
        probe: what it is to answer.
        sound: whether it is in good standing, and so in the upper band of priority.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    duty: Duty | None = None
    cancel: Annotated[tuple[Cancellation, ...], Field(max_length=_MOST_CANCELLED)] = ()
    probe: Probe | None = None
    sound: bool | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.duty is None and not self.cancel and self.probe is None and self.sound is None:
            raise ValueError("the order is empty")
        return self


def order_publication(device: str, order: Order, user: str) -> Publication:
    """Return the message that brings the order to a device; ``user`` is the sender's broker user."""
    properties = pika.BasicProperties(content_type="application/json", user_id=user)
    return Publication(names.DEVICES, device, order.model_dump_json(exclude_none=True).encode(), properties)


def read_order(user: str | None, body: bytes) -> Order | None:
    """Return the order in a message of that ``user_id``, or nothing when it is none of the platform's."""
    try:
        order = Order.model_validate_json(body) if user == names.PLATFORM and len(body) <= _MAX_BODY else None
    except ValidationError:
        order = None
    if order is None:
        log.warning("order.dropped", extra={"user": user, "bytes": len(body)})
    return order
