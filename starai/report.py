"""A report on its way back: the message that carries one state of a task to who asked."""

import pika

from broker_config import names
from broker_config.link import Publication
from starai.wire import Report


def report_publication(report: Report, reply_to: str, user: str) -> Publication:
    """Return the message that tells the submitter behind ``reply_to``; ``user`` is the sender's broker user."""
    properties = pika.BasicProperties(
        content_type="application/json",
        delivery_mode=pika.DeliveryMode.Persistent.value,
        correlation_id=report.task,
        user_id=user,
    )
    body = report.model_dump_json(exclude_none=True).encode()
    return Publication(names.RESULTS, names.result_key(reply_to, report.state), body, properties)
