"""A publication: one message on its way to the broker."""

import logging
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field

import pika

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Publication:
    """One message on its way out; ``confirmed`` ends when the broker has taken it, or has refused it."""

    exchange: str
    key: str
    body: bytes
    properties: pika.BasicProperties
    confirmed: "Future[None]" = field(default_factory=Future)

    def settle(self, error: BaseException | None = None) -> None:
        """End ``confirmed``, unless its message was withdrawn or it has ended."""
        try:
            self.confirmed.set_exception(error) if error else self.confirmed.set_result(None)
        except InvalidStateError:
            log.debug("publication.settled_twice")
