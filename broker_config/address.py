"""Broker addresses (``amqp://user:password@host:port/vhost``): read strictly, shown without the password."""

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pika

from broker_config.errors import BrokerError
from broker_config.tls import authority, check_plain, context


class BadAddress(BrokerError, ValueError):
    """A broker address that cannot be read."""


def parameters(url: str, ca: str | None = None) -> pika.URLParameters:
    """Return pika's parameters for the address. What it connects to has to prove that it is the broker.

    Args:
        url: the address; ``amqps://`` is encrypted, and the certificate and its host name are checked.
        ca: the authority to trust, as PEM text; see :func:`broker_config.tls.context`.

    Raises:
        BadAddress: it is not an AMQP address.
        BrokerUntrusted: it is ``amqp://`` and leaves this machine.
        SettingError: the authority cannot be read.
    """
    address = safe_address(url)
    found = _read(url)
    if is_encrypted(url):
        found.ssl_options = pika.SSLOptions(context(ca), found.host)
    else:
        check_plain(found.host, address)
    return found


def celery_tls(url: str, ca: str | None = None) -> dict[str, Any] | bool:
    """Return what Celery's ``broker_use_ssl`` has to be for the address: Celery by itself checks no certificate.

    Raises:
        BadAddress, BrokerUntrusted, SettingError: as :func:`parameters` does.
    """
    host = parameters(url, ca).host
    if not is_encrypted(url):
        return False
    return {"server_hostname": host, "context": {"cadata": authority(ca), "check_hostname": True}}


def is_encrypted(url: str) -> bool:
    """Tell whether the address asks for TLS."""
    return urlsplit(url).scheme == "amqps"


def _read(url: str) -> pika.URLParameters:
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


def address(*, tls: bool, host: str, port: int, vhost: str, user: str, password: str) -> str:
    """Return the address of a broker for a login; it holds the password."""
    place = f"[{host}]" if ":" in host else host
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"{'amqps' if tls else 'amqp'}://{login}@{place}:{port}/{quote(vhost, safe='')}"


def vhost_of(url: str) -> str:
    """Return the virtual host that an address names."""
    return unquote(urlsplit(url).path.removeprefix("/")) or "/"


def user_of(url: str) -> str:
    """Return the user that an address logs in as."""
    return unquote(urlsplit(url).username or "guest")
