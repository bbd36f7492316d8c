"""Makes devices know of cancelled tasks: by an order to each when one is cancelled, and on asking when they connect."""

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from broker_config.link import Link
from registry.cancelled import cancelled_for, devices_to_tell
from registry.columns import now
from registry.database import reading
from registry.task_tables import Task
from starai.errors import RegistryError
from tasks.cancellation_message import MOST_CANCELLED, Cancellation, write_cancelled
from tasks.order import Order, order_publication

log = logging.getLogger(__name__)

#: For how long a device remembers a cancelled task that has no deadline.
REMEMBERED = timedelta(days=1)


def cancel_at_devices(
    engine: Engine, link: Link, user: str, *, submitter: str, task: str, model: str | None, expires: datetime | None
) -> int:
    """Order every device that hosts the model not to begin the task, and to stop it; return how many were told.

    Nobody waits for the orders: a device that misses one asks what was cancelled when it connects.

    Args:
        engine: the registry's.
        link: over which the orders leave.
        user: the platform's broker user.
        submitter: whose task it is.
        task: its id.
        model: what it is for, by its wire name; ``None``, where that is not known yet, tells all devices.
        expires: its deadline, or ``None`` where it has none or that is not known yet.

    Raises:
        RegistryError: the database refused, or could not be reached.
        BrokerError: the link is closed.
    """
    with reading(engine) as registry:
        devices = devices_to_tell(registry, model)
    order = Order(cancel=(Cancellation(submitter, task, _end(expires)),))
    link.publish_all(order_publication(device, order, user) for device in devices)
    log.info("task.cancel_ordered", extra={"submitter": submitter, "task": task, "devices": len(devices)})
    return len(devices)


class Cancellations:
    """Answers devices that ask what was cancelled.

    Args:
        engine: the registry's.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, user: str | None, body: bytes) -> bytes:  # noqa: ARG002 - who asks says all
        """Return the cancelled tasks of the models that a device hosts, which ``user`` is as the broker validated."""
        try:
            with reading(self._engine) as registry:
                found = cancelled_for(registry, user or "", now(), MOST_CANCELLED)
        except RegistryError as error:  # the device goes on without; it asks for clearance where a task came back
            log.warning("cancellations.unknown", extra={"device": user, "reason": str(error)})
            found = []
        return write_cancelled([_cancellation(task) for task in found])


def _cancellation(task: Task) -> Cancellation:
    return Cancellation(task.submitter, task.id, _end(task.expires_at))


def _end(expires: datetime | None) -> float:
    return (expires or datetime.now(UTC) + REMEMBERED).timestamp()
