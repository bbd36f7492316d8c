"""Reads the messages of the queues ``ledger`` and ``failed`` as a stranger's: nothing is believed before it is checked,
and nothing is passed on that a database could not keep.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika
from pydantic import TypeAdapter, ValidationError

from broker_config import names
from broker_config.regions import Region
from models.entry import Kind
from registry.ledger_entries import BROKEN, DeadLettered, Entry, Marked, Reported, Submitted
from starai.errors import StarAIError
from starai.generation import Generated
from starai.tensor import is_sound
from starai.wire import MAX_BODY, Arguments, Failure, Output, Reason, Report, State, Tensor
from tasks.mark import MARK
from tasks.message import asked_lease, items_in, sender_reply_queue, task_id
from tasks.targets import Targets

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_WIRE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_REGIONS = frozenset(map(str, Region))
# The pieces of a text go to its submitter alone.
_STATES = {str(state): state for state in State if state is not State.PIECE}
_MESSAGE_LENGTH = 500
_NAME_LENGTH = 255
_REASON_LENGTH = 64
_LARGEST = 2**31 - 1
# These the broker changes with each delivery of the same message.
_VOLATILE = frozenset({"x-delivery-count", "x-acquired-count"})


class LedgerJunk(StarAIError):
    """A message in the ledger's queue that says nothing that could be recorded."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came, at that time by the platform's clock.

    Attributes:
        queue: ``ledger`` or ``failed``.
        size: of the body; one that is too large to be read is not kept.
        waited: whether it lay at the broker for other reasons than its way.
    """

    tag: int
    queue: str
    exchange: str
    key: str
    properties: pika.BasicProperties
    body: bytes
    size: int
    at: datetime
    waited: bool = False


def read_delivery(delivery: Delivery, targets: Targets) -> Entry:
    """Return what a message says.

    Raises:
        LedgerJunk: nothing that could be recorded; the message says why.
    """
    if delivery.queue == names.FAILED:
        return _dead_letter(delivery)
    if delivery.size > MAX_BODY:
        raise LedgerJunk(f"the body has {delivery.size:,} bytes; the most is {MAX_BODY:,}")
    # Which exchange a message came by is the broker's word: who may write to which is a matter of permissions.
    if delivery.exchange == names.RESULTS:
        return _report(delivery)
    if delivery.exchange == names.SUBMISSIONS:
        return _submission(delivery, targets)
    return _mark(delivery)


def _submission(delivery: Delivery, targets: Targets) -> Submitted:
    properties, body = delivery.properties, delivery.body
    headers = properties.headers or {}
    task, reply_to = task_id(headers), sender_reply_queue(vars(properties))
    submitter = names.reply_user(reply_to) if reply_to else None
    if task is None or reply_to is None or submitter is None:
        raise LedgerJunk("a submission has no task id, no user_id, or a reply address that is not its sender's own")
    if not body:
        raise LedgerJunk("a submission has no body")
    region, _, target = delivery.key.partition(".")
    known = target if _WIRE.fullmatch(target) else None
    return Submitted(
        submitter,
        task,
        delivery.at,
        region if region in _REGIONS else None,
        known,
        targets.model_of(known) if known else None,
        reply_to,
        _expires(headers.get("expires")),
        _lease(headers),
        _items(body),
        body,
    )


def _sound_report(delivery: Delivery, state: str) -> Report:
    """Return a report that is of who it says, and of what its routing key says."""
    user = delivery.properties.user_id
    try:
        report = Report.model_validate_json(delivery.body)
    except ValidationError as error:
        raise LedgerJunk("a report cannot be read") from error
    if user != (report.device or names.PLATFORM):
        raise LedgerJunk("a report is not of who it says")
    if report.state is not _STATES.get(state):
        raise LedgerJunk("a report's state is not that of its routing key")
    if not _ID.fullmatch(report.task) or not (report.run is None or _ID.fullmatch(report.run)):
        raise LedgerJunk("a report has an id that cannot be one")
    if report.device is not None and not _WIRE.fullmatch(report.device):
        raise LedgerJunk("a report is of no device")
    return report


def _report(delivery: Delivery) -> Reported:
    reply_to, _, state = delivery.key.rpartition(".")
    submitter = names.reply_user(reply_to)
    if submitter is None:
        raise LedgerJunk("a report was not sent to a reply queue")
    report = _sound_report(delivery, state)
    kind = _kind(report.output) if report.state is State.SUCCEEDED else None
    is_broken = report.state is State.SUCCEEDED and kind is None
    failure = Failure(reason=Reason.DEVICE, message=BROKEN) if is_broken else report.failure
    words = failure.message if failure else report.note
    return Reported(
        submitter,
        report.task,
        delivery.at,
        reply_to,
        State.FAILED if is_broken else report.state,
        report.device,
        report.run,
        _claimed(report.at, report.started),
        str(failure.reason) if failure else None,
        _keepable(words)[:_MESSAGE_LENGTH] if words is not None else None,
        delivery.size,
        b"" if kind is None else delivery.body,
        delivery.waited,
        kind,
        tuple(report.output.shape) if kind is Kind.EMBED and isinstance(report.output, Tensor) else None,
        report.output.tokens if isinstance(report.output, Generated) else 0,
    )


def _kind(output: Output | None) -> Kind | None:
    """Return which kind of model makes such a result, or nothing where it is none: not whole, or no vectors."""
    if isinstance(output, Tensor):
        return Kind.EMBED if output.dtype == "<f4" and is_sound(output) else None
    if isinstance(output, dict):
        return Kind.TENSORS if all(map(is_sound, output.values())) else None
    return Kind.GENERATE if output else None


def _mark(delivery: Delivery) -> Marked:
    properties = delivery.properties
    mark = properties.message_id
    is_mark = properties.user_id == names.PLATFORM and properties.type == MARK
    if not is_mark or not isinstance(mark, str) or not _ID.fullmatch(mark):
        raise LedgerJunk(f"nothing comes to the ledger by the exchange {delivery.exchange[:80]!r} but marks")
    return Marked(mark, delivery.at)


def _dead_letter(delivery: Delivery) -> DeadLettered:
    properties = delivery.properties
    headers = {str(key): value for key, value in (properties.headers or {}).items() if key not in _VOLATILE}
    written = _json(headers)
    reply_to = sender_reply_queue(vars(properties))
    submitter = names.reply_user(reply_to) if reply_to else properties.user_id
    deaths = _deaths(headers.get("x-death"))
    last = deaths[0] if deaths else {}
    return DeadLettered(
        digest=_digest(delivery, written),
        at=delivery.at,
        submitter=submitter if submitter and _WIRE.fullmatch(submitter) else None,
        task=task_id(headers),
        reply_to=reply_to,
        key=_keepable(delivery.key)[:_NAME_LENGTH],
        queue=_keepable(last.get("queue"))[:_NAME_LENGTH],
        reason=_keepable(last.get("reason"))[:_REASON_LENGTH] or "unknown",
        deaths=min(sum(_count(death.get("count")) for death in deaths), _LARGEST),
        headers=written,
        body=delivery.body,
    )


def _deaths(header: object) -> list[Mapping[str, Any]]:
    """Return what ``x-death`` says, the newest first; a stranger may have written something else there."""
    return [death for death in header if isinstance(death, Mapping)] if isinstance(header, list) else []


def _count(count: object) -> int:
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def _digest(delivery: Delivery, headers: str) -> str:
    properties = delivery.properties
    envelope = json.dumps([delivery.key, properties.user_id, properties.reply_to, headers, delivery.size], default=str)
    return hashlib.sha256(envelope.encode("utf-8", "replace") + delivery.body).hexdigest()


def _json(headers: Mapping[str, Any]) -> str:
    try:
        return json.dumps(headers, default=str, sort_keys=True)
    except (ValueError, RecursionError):
        return "{}"


def _items(body: bytes) -> int:
    try:
        inputs = _BODY.validate_json(body)[1].inputs
    except ValidationError:
        return 0
    return items_in(inputs)


def _expires(expires: object) -> datetime | None:
    if not isinstance(expires, str):
        return None
    try:
        moment = datetime.fromisoformat(expires)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # no time, or one beyond the calendar in UTC
        return None


def _lease(headers: Mapping[str, Any]) -> float | None:
    try:
        return asked_lease(headers)
    except ValueError:
        return None


def _claimed(at: float, started: float | None) -> float | None:
    """Return the seconds between two times of a device's clock, whatever that shows."""
    if started is None or not math.isfinite(at - started):
        return None
    return at - started


def _keepable(text: object) -> str:
    """Return a text without what PostgreSQL cannot keep; nothing where it is no text."""
    return text.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(text, str) else ""


_BODY: TypeAdapter[tuple[list[Any], Arguments, Any]] = TypeAdapter(tuple[list[Any], Arguments, Any])
