"""The message that puts a task back into its queue, as the platform's own."""

from datetime import datetime

from broker_config import names
from broker_config.publication import Publication
from registry.task_tables import Task
from starai.submission import task_properties


def republication(task: Task, body: bytes, user: str, expires: datetime) -> Publication:
    """Return the message that asks once more for a task, under its own id and for its own submitter.

    It goes past ``submissions``, so that the ledger gets no second copy of it.

    Args:
        task: the task, which has to have its region, target and reply address.
        body: of the message that its submitter sent.
        user: the platform's broker user, by which devices know that the task has to be cleared.
        expires: the task's deadline now.
    """
    properties = task_properties(task.id, task.reply_to or "", user, expires, task.lease)
    return Publication(names.INFERENCE, f"{task.region}.{task.target}", body, properties)
