"""The properties of calls and of answers to them."""

import pika


def persistent(reply_to: str | None = None, correlation_id: str | None = None) -> pika.BasicProperties:
    """Return the properties of a call that survives a restart of the broker."""
    return pika.BasicProperties(
        delivery_mode=pika.DeliveryMode.Persistent, reply_to=reply_to, correlation_id=correlation_id
    )


def reply(properties: pika.BasicProperties) -> pika.BasicProperties:
    """Return the properties of the answer to a call."""
    return pika.BasicProperties(correlation_id=properties.correlation_id)
