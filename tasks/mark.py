"""Marks in the ledger's queue: what tells that the recorder has come as far as the present."""

import logging
import threading
import time
import uuid

import pika
from sqlalchemy import Engine

from broker_config import names
from broker_config.publication import Publication
from registry.database import reading
from registry.sweeping import is_recorded
from tasks.telling import Telling

log = logging.getLogger(__name__)

#: What a mark's message says it is.
MARK = "mark"
_LOOK = 0.1


class Marks:
    """Puts marks into the ledger's queue.

    Args:
        engine: the registry's.
        telling: publishes for the platform.
        patience: seconds for the recorder to come to a mark.
    """

    def __init__(self, engine: Engine, telling: Telling, patience: float) -> None:
        self._engine = engine
        self._telling = telling
        self._patience = patience
        self._closing = threading.Event()

    def close(self) -> None:
        """Wait for no mark any more."""
        self._closing.set()

    def passed(self) -> bool:
        """Put a mark and wait for the recorder; whatever the broker took before is in the ledger then.

        Returns:
            False where the recorder does not come to it: it is down, or behind.

        Raises:
            RegistryError: the database could not be reached.
            BrokerUnreachable, BrokerRefused: there will be no connection any more.
        """
        mark = uuid.uuid4().hex
        until = time.monotonic() + self._patience
        [refused] = self._telling.publish([mark_publication(mark, self._telling.user)])
        while refused is None and time.monotonic() < until:
            with reading(self._engine) as registry:
                if is_recorded(registry, mark):
                    return True
            if self._closing.wait(_LOOK):
                return False
        log.warning("ledger.behind", extra={"mark": mark, "seconds": self._patience})
        return False


def mark_publication(mark: str, user: str) -> Publication:
    """Return the message that is a mark; only the platform may write where it goes."""
    return Publication("", names.LEDGER, b"", pika.BasicProperties(type=MARK, message_id=mark, user_id=user))
