"""Broker addresses (``amqp://user:password@host:port/vhost``): read strictly, shown without the password."""

from urllib.parse import unquote, urlsplit

import pika

from broker_config.errors import BrokerError


class BadAddress(BrokerError, ValueError):
    """A broker address that cannot be read."""


def parameters(url: str) -> pika.URLParameters:
    """Return pika's parameters for the address.

    Raises:
        BadAddress: it is not an AMQP address.
    """
    safe_address(url)
    try:
        return pika.URLParameters(url)
    except (ValueError, TypeError, IndexError) as error:
        raise BadAddress(f"The broker address {safe_address(url)} cannot be read: {type(error).__name__}.") from None


def safe_address(url: str) -> str:
    """Return the address with its password left out, fit for logs and errors.

    Raises:
        BadAddress: it is not an AMQP address.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise BadAddress("A broker address looks like amqp://user:password@host:5672/starai; this one does not.")
    user = f"{parts.username}@" if parts.username else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{user}{host}{port}{parts.path}"


def user_of(url: str) -> str:
    """Return the user that an address logs in as."""
    return unquote(urlsplit(url).username or "guest")
