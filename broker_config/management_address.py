"""Where the management API is: read strictly, and never spoken to in the clear beyond this machine."""

from urllib.parse import urlsplit

import pika

from broker_config.address import parameters
from broker_config.errors import BrokerUntrusted, SettingError
from broker_config.management import Management
from broker_config.tls import check_plain


def management_at(place: str, url: str) -> Management:
    """Return the management API at a place, ``STARAI_MANAGEMENT_URL``, as the user of the broker's address.

    Raises:
        SettingError: the place cannot be read.
        BadAddress: the broker's address cannot be.
        BrokerUntrusted: passwords would go over the network in the clear.
    """
    try:
        parts = urlsplit(place)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in place and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise SettingError(
            "STARAI_MANAGEMENT_URL looks like https://host:15671; this one does not. "
            "It holds no user: that is the one of STARAI_BROKER_URL."
        )
    if parts.scheme == "http":
        _check_plain(parts.hostname or "", place)
    login = parameters(url).credentials
    assert isinstance(login, pika.PlainCredentials)  # noqa: S101
    return Management(place.rstrip("/"), login.username, login.password)


def _check_plain(host: str, place: str) -> None:
    try:
        check_plain(host, place)
    except BrokerUntrusted as error:
        raise BrokerUntrusted(
            f"STARAI_MANAGEMENT_URL ({place}) would send passwords in the clear. Use https://, or in a network that "
            "you trust set STARAI_BROKER_PLAIN=1."
        ) from error
