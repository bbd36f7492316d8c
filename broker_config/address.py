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
    except (ValueError, TypeError, IndexError, SyntaxError, OSError) as error:
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
    # An '@' behind the host: a '/', '?' or '#' in the password has cut it in two, and its end would be shown.
    cut = "@" in parts.path + parts.query + parts.fragment
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname or cut:
        raise BadAddress(
            "A broker address looks like amqp://user:password@host:5672/starai; this one does not. "
            "Write what is special in a password percent-encoded: '/' as %2F, '@' as %40."
        )
    user = f"{parts.username}@" if parts.username else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{user}{host}{port}{parts.path}"


def user_of(url: str) -> str:
    """Return the user that an address logs in as."""
    return unquote(urlsplit(url).username or "guest")
