"""A submission: what was asked for, checked, and as the Celery message that asks for it."""

import math
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pika
from pydantic_core import PydanticSerializationError, to_json

from broker_config import names
from broker_config.publication import Publication
from broker_config.regions import Region
from starai.answer import Expected
from starai.errors import BadInput
from starai.generation import Generated, Options
from starai.inputs import Asked, check_inputs, expected_of
from starai.wire import MAX_BODY, Inputs

#: Seconds from submission after which a task is not worth doing any more.
DEADLINE = 600.0
#: The most seconds that may be asked for: 30 days.
LONGEST_DEADLINE = 30 * 86_400.0
#: The least and the most seconds that a task may be allowed to run on one device.
SHORTEST_LEASE, LONGEST_LEASE = 1.0, 3600.0

_NO_CALLBACKS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


@dataclass(frozen=True)
class Submission:
    """One task on its way: its id, for which model, from which region, its deadline in seconds, its body.

    Attributes:
        expected: what may answer it.
        stream: whether its submitter reads the text along.
        lease: seconds that it may run on one device, where it is to be other than the network's usual.
    """

    task: str
    model: str
    region: Region
    deadline: float
    body: bytes
    expected: Expected
    lease: float | None = None
    stream: bool = False


def submission(
    model: str,
    inputs: Asked,
    region: Region,
    deadline: float,
    lease: float | None = None,
    options: Options | None = None,
    *,
    stream: bool = False,
) -> Submission:
    """Return the submission of a task, or refuse it.

    Raises:
        BadInput: the inputs are not what :func:`starai.inputs.check_inputs` takes, or too large to send; the deadline
            or the lease is none; there are options, and nothing that a text could go on from.
        InvalidName: the model's name cannot be one.
    """
    names.wire_name(model)
    if not 0 < deadline <= LONGEST_DEADLINE:
        raise BadInput(f"A deadline lies ahead: give more than 0 and at most {LONGEST_DEADLINE:g} s, not {deadline:g}.")
    if lease is not None and not SHORTEST_LEASE <= lease <= LONGEST_LEASE:
        raise BadInput(f"A lease is from {SHORTEST_LEASE:g} to {LONGEST_LEASE:g} s, not {lease:g}.")
    checked = check_inputs(inputs)
    expected = expected_of(checked, options)
    if (options or stream) and Generated not in expected.kinds:
        raise BadInput("A text is generated from one prompt or one conversation: submit each as a task of its own.")
    body = _encode(checked, options, stream=stream)
    if len(body) > MAX_BODY:
        raise BadInput(f"The task has {len(body):,} bytes; the most is {MAX_BODY:,}. Split it, as map() does.")
    return Submission(str(uuid.uuid4()), model, region, deadline, body, expected, lease, stream)


def publication(task: Submission, user: str, reply_to: str) -> Publication:
    """Return the message that submits the task."""
    expires = datetime.now(UTC) + timedelta(seconds=task.deadline)
    properties = task_properties(task.task, reply_to, user, expires, task.lease)
    return Publication(names.SUBMISSIONS, names.submission_key(task.region, task.model), task.body, properties)


def task_properties(
    task: str, reply_to: str, user: str, expires: datetime, lease: float | None
) -> pika.BasicProperties:
    """Return what a task's message has beside its body, in Celery's protocol 2; ``user`` is who sends it.

    Source of the format: Celery's documentation, "Message Protocol", version 2. The header ``lease`` is ours: it says
    the same as ``timelimit``, as a text, because STOMP brings no lists along.
    """
    headers: dict[str, Any] = {
        "lang": "py",
        "task": names.INFERENCE_TASK,
        "id": task,
        "root_id": task,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "expires": expires.isoformat(),
    }
    if lease is not None:
        # Whole seconds, rounded up: pika sends no fractions in a header (pika/data.py, encode_value).
        seconds = math.ceil(lease)
        headers |= {"timelimit": [seconds, None], "lease": str(seconds)}
    return pika.BasicProperties(
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=pika.DeliveryMode.Persistent.value,
        correlation_id=task,
        reply_to=reply_to,
        user_id=user,
        timestamp=int(time.time()),
        headers=headers,
    )


def _encode(inputs: Inputs, options: Options | None, *, stream: bool) -> bytes:
    arguments: dict[str, Any] = {"inputs": inputs}
    if options is not None:
        arguments["options"] = options.model_dump(mode="json", exclude_defaults=True)
    if stream:
        arguments["stream"] = True
    try:
        return to_json([[], arguments, _NO_CALLBACKS])
    except PydanticSerializationError as error:
        raise BadInput(f"The text cannot be written as UTF-8: {error}.") from error
