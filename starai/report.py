"""A report on its way back: the message that carries one state of a task to who asked."""

import logging

import pika
from pydantic import ValidationError

from broker_config import names
from broker_config.publication import Publication
from starai.wire import MAX_BODY, Report

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


def read_report(user: str | None, body: bytes) -> Report | None:
    """Return the report in a message of that ``user_id``, or nothing when it is junk or not of who it says."""
    try:
        report = Report.model_validate_json(body) if len(body) <= MAX_BODY else None
    except ValidationError:
        report = None
    # Only the broker vouches for a sender: a device for itself, the platform for the rest.
    if report is None or user != (report.device or names.PLATFORM):
        log.warning("client.report_dropped", extra={"user": user, "bytes": len(body)})
        return None
    return report
