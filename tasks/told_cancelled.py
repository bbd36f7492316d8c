"""Tells everyone of a cancelled task: its submitter, the ledger, and the devices that may have it."""

import time

from sqlalchemy import Engine

from broker_config import names
from broker_config.link import Link
from registry.task_state import OPEN
from registry.task_tables import Task
from starai.errors import BrokerUnreachable
from starai.report import report_publication
from starai.wire import Report, State
from tasks.cancellation import cancel_at_devices

_TAKEN_WITHIN = 5.0


def tell_cancelled(engine: Engine, link: Link, user: str, task: Task, model: str | None, reply_to: str | None) -> None:
    """Report a task as cancelled, and order the devices that host its model to leave it.

    Args:
        engine: the registry's.
        link: over which it is told.
        user: the platform's broker user.
        task: what was cancelled.
        model: by its wire name; where nobody knows it no device is told before it connects anew: for a task that
            nobody knows, all of them would be.
        reply_to: where its submitter says that it reads its reports; it counts where the ledger does not know it.

    Raises:
        RegistryError: the database could not be reached, or refused.
        BrokerError: the broker did not take it.
    """
    address = task.reply_to or (reply_to if names.is_reply_queue(reply_to or "", task.submitter) else None)
    if address and (task.state in OPEN or not task.bytes_in):
        report = Report(task=task.id, state=State.CANCELLED, at=time.time())
        try:
            link.publish(report_publication(report, address, user)).result(_TAKEN_WITHIN)
        except TimeoutError as error:
            raise BrokerUnreachable(f"The broker did not take the report that task {task.id} is cancelled.") from error
    if model:
        cancel_at_devices(
            engine, link, user, submitter=task.submitter, task=task.id, model=model, expires=task.expires_at
        )
