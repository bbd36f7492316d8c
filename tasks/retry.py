"""Sends a task again whose ledger row is open again."""

import logging

from broker_config.link import Link
from registry.task_tables import Task
from starai.errors import BrokerError
from tasks.republish import republication

log = logging.getLogger(__name__)

#: Seconds for the broker to take it.
TAKEN_WITHIN = 5.0


def put_back(link: Link, user: str, task: Task, body: bytes) -> bool:
    """Publish a task's message as the platform's; return whether its queue took it.

    Where it did not, the task counts as lost, and the sweep puts it back until its deadline.

    Args:
        link: over which it leaves.
        user: the platform's broker user.
        task: which has a region, a target, a reply address and a deadline.
        body: of its message.
    """
    if task.expires_at is None:
        raise ValueError(f"task {task.id} has no deadline")
    publication = republication(task, body, user, task.expires_at)
    try:
        link.publish(publication).result(TAKEN_WITHIN)
    except (BrokerError, TimeoutError) as error:
        publication.confirmed.cancel()
        log.warning("task.not_put_back", extra={"task": task.id, "reason": str(error) or type(error).__name__})
        return False
    return True
