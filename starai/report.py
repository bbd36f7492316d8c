"""A report on its way back: the message that carries one state of a task to who asked."""

import logging

import pika
from pydantic import ValidationError

from broker_config import names
from broker_config.publication import Publication
from starai.wire import MAX_BODY, Report, State

log = logging.getLogger(__name__)

#: Milliseconds that a reply queue waits for its client to come back before the broker deletes it.
REPLY_EXPIRES = 3_600_000
#: What a reply queue is declared with.
REPLY_ARGUMENTS = {"x-queue-type": "classic", "x-expires": REPLY_EXPIRES}


def report_publication(report: Report, reply_to: str, user: str) -> Publication:
    """Return the message that tells the submitter behind ``reply_to``; ``user`` is the sender's broker user."""
    properties = pika.BasicProperties(
        content_type="application/json",
        delivery_mode=pika.DeliveryMode.Transient.value,
        correlation_id=report.task,
        user_id=user,
    )
    body = report.model_dump_json(exclude_none=True).encode()
    return Publication(names.RESULTS, names.result_key(reply_to, report.state), body, properties)


def read_report(user: str | None, key: str, body: bytes) -> Report | None:
    """Return the report in a message of that ``user_id`` and routing key, or nothing when it is junk.

    It is junk as well when it is not of who it says, or says another state than its key: by that the broker decides
    what the ledger hears.
    """
    try:
        report = Report.model_validate_json(body) if len(body) <= MAX_BODY else None
    except ValidationError:
        report = None
    # Only the broker vouches for a sender: a device for itself, the platform for the rest.
    is_sound = report is not None and user == (report.device or names.PLATFORM) and key.endswith(f".{report.state}")
    if report is None or not is_sound or (report.output and report.state is not State.SUCCEEDED):
        log.warning("client.report_dropped", extra={"user": user, "bytes": len(body)})
        return None
    return report
