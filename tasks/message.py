"""Reads a task's message as a stranger's: nothing in it is believed before it is checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from broker_config import names
from broker_config.invalid import first_error
from starai.errors import StarAIError
from starai.generation import Options
from starai.submission import LONGEST_LEASE, SHORTEST_LEASE
from starai.wire import MAX_BODY, Arguments, Inputs

# It goes into reports and logs, so no more than what an id needs.
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class JunkError(StarAIError):
    """A message on a task queue that is no task. ``task`` and ``reply_to`` are known where they were readable."""

    def __init__(self, message: str, task: str | None = None, reply_to: str | None = None) -> None:
        super().__init__(message)
        self.task = task
        self.reply_to = reply_to


@dataclass(frozen=True)
class Task:
    """A task as a device reads it. ``expires`` is Unix time in seconds, or ``None``.

    Attributes:
        submitted: when it was, by its submitter's clock, in Unix time to the second, or ``None``.
        returns: how often the task came back to its queue before this delivery; a classic queue knows only
            whether it did.
        lease: seconds that it may run on one device, or make no more of a text there; ``None`` for the usual.
        redelivered: whether the broker handed it out before, to whomever and for whatever reason.
        republished: whether it is the platform that sent this message, in place of one that was lost.
        options: how a text is to be generated; ``None``: by the defaults, if at all.
        stream: whether its submitter wants the pieces of a text as they are made.
    """

    id: str
    reply_to: str
    inputs: Inputs
    expires: float | None
    submitted: float | None
    returns: int
    lease: float | None = None
    redelivered: bool = False
    republished: bool = False
    options: Options | None = None
    stream: bool = False

    @property
    def submitter(self) -> str:
        """Who is answered; with the id, what a task is known by."""
        return names.reply_user(self.reply_to) or ""

    @property
    def came_back(self) -> bool:
        """Whether it may have been started before, so that it has to be cleared."""
        return self.redelivered or self.republished


_BODY: TypeAdapter[tuple[list[Any], Arguments, dict[str, Any]]] = TypeAdapter(
    tuple[list[Any], Arguments, dict[str, Any]]
)


def read_task(headers: Mapping[str, Any], properties: Mapping[str, Any], body: bytes, *, redelivered: bool) -> Task:
    """Return the task in a Celery message (protocol 2).

    Raises:
        JunkError: it is no task, or not one that can be answered.
    """
    task = task_id(headers)
    if task is None:
        raise JunkError("the message has no task id")
    reply_to = sender_reply_queue(properties)
    if reply_to is None:
        raise JunkError("the message has no user_id, or its reply address is not that user's own", task)
    if headers.get("task") != names.INFERENCE_TASK:
        raise JunkError(f"the only task here is {names.INFERENCE_TASK}", task, reply_to)
    try:
        lease = asked_lease(headers)
    except ValueError as error:
        raise JunkError(str(error), task, reply_to) from error
    arguments = _arguments(task, reply_to, body)
    return Task(
        task,
        reply_to,
        arguments.inputs,
        _expires(task, reply_to, headers.get("expires")),
        _submitted(properties.get("timestamp")),
        _returns(headers, redelivered),
        lease,
        redelivered,
        republished=properties.get("user_id") == names.PLATFORM,
        options=arguments.options,
        stream=arguments.stream,
    )


def items_in(inputs: Inputs) -> int:
    """Return how many items a task has: each of several texts is one, and all else together."""
    is_list_of_texts = isinstance(inputs, list) and all(isinstance(each, str) for each in inputs)
    return len(inputs) if is_list_of_texts else 1


def task_id(headers: Mapping[str, Any]) -> str | None:
    """Return a message's task id, or nothing when it has none that can be repeated in an answer."""
    task = headers.get("id")
    return task if isinstance(task, str) and _ID.fullmatch(task) else None


def sender_reply_queue(properties: Mapping[str, Any]) -> str | None:
    """Return where a message's sender reads its answers, or nothing when it named a queue that is not its own.

    The broker has validated ``user_id``, where there is one. The platform sends others' tasks again, so that it may
    name anybody's reply queue.
    """
    user, reply_to = properties.get("user_id"), properties.get("reply_to")
    if not isinstance(user, str) or not isinstance(reply_to, str):
        return None
    submitter = names.reply_user(reply_to)
    return reply_to if submitter is not None and user in (submitter, names.PLATFORM) else None


def asked_lease(headers: Mapping[str, Any]) -> float | None:
    """Return how many seconds a task may run on one device, where its sender asked for that.

    It is the first of the two in ``timelimit``, Celery's hard limit (its documentation, "Message Protocol").

    Raises:
        ValueError: the header is there, and does not say so or not within bounds.
    """
    limits = headers.get("timelimit")
    if limits is None:
        return None
    if not isinstance(limits, list | tuple) or len(limits) != 2:
        raise ValueError("the header 'timelimit' is not [lease, null]")
    lease = limits[0]
    if lease is None:
        return None
    is_number = isinstance(lease, int | float) and not isinstance(lease, bool)
    if not is_number or not SHORTEST_LEASE <= lease <= LONGEST_LEASE:
        raise ValueError(f"a lease is from {SHORTEST_LEASE:g} to {LONGEST_LEASE:g} s")
    return float(lease)


def _arguments(task: str, reply_to: str, body: bytes) -> Arguments:
    if len(body) > MAX_BODY:
        raise JunkError(f"the body has {len(body):,} bytes; the most is {MAX_BODY:,}", task, reply_to)
    try:
        return _BODY.validate_json(body)[1]
    except ValidationError as error:
        raise JunkError(f"the body is not a task's: {first_error(error, 'it')}", task, reply_to) from error


def _expires(task: str, reply_to: str, expires: object) -> float | None:
    if expires is None:
        return None
    try:
        moment = datetime.fromisoformat(str(expires))
    except ValueError as error:
        raise JunkError("the header 'expires' is no time", task, reply_to) from error
    if moment.tzinfo is None:
        raise JunkError("the header 'expires' has no time zone", task, reply_to)
    return moment.timestamp()


def _submitted(timestamp: object) -> float | None:
    """Return the message's AMQP timestamp as Unix time, in whole seconds; py-amqp gives UTC without saying so."""
    return timestamp.replace(tzinfo=UTC).timestamp() if isinstance(timestamp, datetime) else None


def _returns(headers: Mapping[str, Any], redelivered: bool) -> int:
    if not redelivered:  # the header is the broker's only then; before, whoever submitted may have written one
        return 0
    if isinstance(count := headers.get("x-delivery-count"), int):
        return max(count, 1)
    # RabbitMQ 4.3 counts a surplus that was handed back as acquired, not as delivered.
    return 0 if isinstance(headers.get("x-acquired-count"), int) else 1
