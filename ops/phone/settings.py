"""What can be set about the page's server: options of the command, each with its environment variable."""

from dataclasses import dataclass
from pathlib import Path

from ops.web.place import options


@dataclass(frozen=True)
class Settings:
    """How the page is served; see :class:`ops.web.place.Place`.

    Attributes:
        host: ``None``: all addresses where the node is open to other machines, else this machine's own.
        port: ``None``: the one that was kept.
        url: where phones find the page, if that is another address than the server's.
    """

    host: str | None = None
    port: int | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    plain: bool = False
    allow_host: tuple[str, ...] = ()
    url: str | None = None


_HELP = {
    "host": "The name or address to listen at.  [default: 127.0.0.1; all addresses with STARAI_BROKER_HOST]",
    "port": "The port to listen at; 0 for any that is free.  [default: the one of the last time; 8455 at first]",
    "tls_cert": "A PEM file with the certificate's chain.  [default: the node's own with STARAI_BROKER_HOST]",
    "tls_key": "A PEM file with the certificate's key.",
    "plain": "Let other machines come without encryption: behind a proxy that encrypts.",
    "allow_host": "A name by which requests may call this server, beside its own; again for more. For proxies.",
    "url": "Where phones find the page, if elsewhere: https://HOST or https://HOST:PORT. For proxies.",
}

#: Adds an option for each of :class:`Settings` to a command, named as there.
phone_options = options(Settings, "STARAI_PHONES_", _HELP, {}, {"url": "STARAI_PAGE_URL"})
