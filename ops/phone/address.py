"""Where the page is served, by which certificate, and what phones are told of that."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from broker_config.node import Node
from broker_config.settings import ListenerSettings
from ops.phone.settings import Settings
from ops.web.place import Place
from starai.errors import SettingError


@dataclass(frozen=True)
class Address:
    """Where the page is served.

    Attributes:
        place: where to listen; its port counts for nothing while none was asked for.
        name: by which phones call this machine.
        url: where they find the page, if that is another address than the server's.
        ca: the certificate of the authority that they have to trust, as PEM, if it is the private node's own.
    """

    place: Place
    name: str
    url: str | None
    ca: str | None


def address_of(settings: Settings) -> Address:
    """Return where the page is served: as was asked, and else as the private node is.

    A browser has keys for a page on this machine, or one that came encrypted. So where the node is open to other
    machines (``STARAI_BROKER_HOST``), the page is too, with the certificate that the node has.

    Raises:
        SettingError: what was asked for cannot be used.
        NodeError: the node's authority cannot be read.
    """
    host, url = ListenerSettings().broker_host, settings.url and _checked(settings.url)
    is_own = host is not None and not (settings.tls_cert or settings.tls_key or settings.plain)
    authority = Node().authority
    if is_own and host:
        authority.ensure((host,))
    names = tuple(filter(None, (*settings.allow_host, host, url and urlsplit(url).hostname)))
    place = Place(
        host=settings.host or ("" if host else Place.host),
        port=settings.port or 0,
        tls_cert=authority.certificate if is_own else settings.tls_cert,
        tls_key=authority.certificate if is_own else settings.tls_key,
        plain=settings.plain,
        allow_host=names,
    )
    return Address(place, host or next(iter(names), place.host), url, authority.pem if is_own else None)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise SettingError(f"{url[:200]!r} cannot be where phones find the page: --url takes https://HOST[:PORT].")
    return url.rstrip("/")
