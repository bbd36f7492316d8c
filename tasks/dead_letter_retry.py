"""Puts a dead letter back where it came from, where it is a task that somebody waits for."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from broker_config import names
from broker_config.link import Link
from broker_config.regions import Region
from registry.columns import now
from registry.database import session
from registry.dead_letters import find_dead_letter, mark_retried
from registry.jobs import reopen_job
from registry.task_state import OPEN, Action, TaskState
from registry.task_tables import DeadLetter, Task, TaskAction, TaskInput
from starai.errors import InvalidName, NotPossible
from tasks.dead_letters import task_of
from tasks.message import JunkError, items_in, read_task
from tasks.message import Task as Message
from tasks.retry import put_back
from tasks.targets import Targets

log = logging.getLogger(__name__)

_REASON = "an operator put it back from the dead letters"


class DeadLetterRetry:
    """Puts dead letters back, each as the platform's message under the task's own id.

    Args:
        engine: the registry's.
        link: an open link.
        user: the platform's broker user.
        deadline: seconds from now after which such a task is not worth doing.
    """

    def __init__(self, engine: Engine, link: Link, user: str, deadline: float) -> None:
        self._engine = engine
        self._link = link
        self._user = user
        self._deadline = timedelta(seconds=deadline)
        self._targets = Targets()

    def retry(self, number: int) -> Task:
        """Put one dead letter back, and return its task. That is written down first: from then on it cannot be lost.

        Raises:
            NotPossible: it is no task, or one that has ended otherwise, or it was put back before; it stays.
            RegistryError: there is none of that number, or the database could not be reached, or refused.
        """
        at = now()
        with session(self._engine) as registry:
            letter = find_dead_letter(registry, number)
            task = self._reopen(registry, letter, _read(letter), at)
            mark_retried(registry, letter, at)
            body = letter.body
        log.info("dead_letter.retried", extra={"letter": number, "submitter": task.submitter, "task": task.id})
        put_back(self._link, self._user, task, body)
        return task

    def _reopen(self, registry: Session, letter: DeadLetter, message: Message, at: datetime) -> Task:
        key, expires = (message.submitter, message.id), at + self._deadline
        task = registry.get(Task, key, with_for_update=True)
        if registry.get(TaskInput, key) is None:
            registry.add(TaskInput(submitter=key[0], task=key[1], body=letter.body))
        if task and task.state not in OPEN:
            return reopen_job(registry, *key, expires=expires, reason=_REASON, at=at)[0]
        task = task or self._new(letter, message, at)
        task.state, task.expires_at = TaskState.QUEUED, expires
        registry.add(task)
        registry.add(TaskAction(submitter=key[0], task=key[1], at=at, action=Action.RETRIED, reason=_REASON))
        registry.flush()
        return task

    def _new(self, letter: DeadLetter, message: Message, at: datetime) -> Task:
        """Return a row for a task that the ledger has forgotten."""
        region, target = _words(letter.key)
        return Task(
            submitter=message.submitter,
            id=message.id,
            region=region,
            target=target,
            model=self._targets.model_of(target),
            reply_to=message.reply_to,
            submitted_at=at,
            lease=message.lease,
            items=items_in(message.inputs),
            bytes_in=len(letter.body),
        )


def why_not(letter: DeadLetter) -> str | None:
    """Return why a dead letter cannot be put back, or nothing where it looks like a task that can."""
    try:
        _read(letter)
    except NotPossible as error:
        return str(error)
    return None


def _read(letter: DeadLetter) -> Message:
    """Return the task in a dead letter.

    Raises:
        NotPossible: there is none, or it was put back before.
    """
    if letter.retried_at:
        raise NotPossible(f"Dead letter {letter.id} was put back before. If it failed again, it is there once more.")
    found = task_of(letter)
    if found is None:
        raise NotPossible(f"Dead letter {letter.id} is no task whose submitter could be told of its result.")
    _words(letter.key)
    sender: dict[str, Any] = {"user_id": found[0], "reply_to": letter.reply_to}
    try:
        return read_task(json.loads(letter.headers), sender, letter.body, redelivered=False)
    except JunkError as error:
        raise NotPossible(f"Dead letter {letter.id} is no task: {error}.") from error


def _words(key: str) -> tuple[str, str]:
    """Return the region and the target of a task's routing key."""
    region, _, target = key.partition(".")
    try:
        valid = region in tuple(Region) and names.wire_name(target) == target
    except InvalidName:
        valid = False
    if not valid:
        raise NotPossible(f"No task queue has the routing key {key[:80]!r}.")
    return region, target
