"""Where the endpoint listens, how that is encrypted, and by which names it may be called."""

import errno
import ipaddress
import socket
import ssl

from ops.serve.settings import Settings
from starai.errors import SettingError

# Names of this machine that no other can have.
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return what encrypts connections, if anything is to.

    Raises:
        SettingError: a file is missing, or cannot be used.
    """
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise SettingError("--tls-cert and --tls-key belong together: give both, or neither.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_no_password)
    except (OSError, ValueError) as error:
        raise SettingError(f"{settings.tls_cert} and {settings.tls_key} cannot be used: {error}.") from error
    return context


def listener_of(settings: Settings) -> socket.socket:
    """Return a socket that listens where it was asked for.

    Raises:
        SettingError: there is no such place here, it is taken, or others could come without encryption.
    """
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server((str(address[0]), int(address[1])), family=family)
    except (OSError, UnicodeError) as error:
        raise SettingError(f"Nobody can listen at {settings.host}, port {settings.port}: {_why(error)}") from error
    if not (settings.plain or settings.tls_cert or _is_loopback(listener)):
        listener.close()
        raise SettingError(
            f"Other machines reach {settings.host}, and API keys would cross the network in the clear. Give "
            "--tls-cert and --tls-key, or say --plain where the network between is trusted, or a proxy encrypts."
        )
    return listener


def url_of(settings: Settings, listener: socket.socket) -> str:
    """Return where clients find the API."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http{'s' if settings.tls_cert else ''}://{host}:{listener.getsockname()[1]}/v1"


def hosts_of(settings: Settings, listener: socket.socket) -> tuple[str, ...] | None:
    """Return the names that requests may be for; ``None``: any, where others may come and no name was given."""
    if settings.allow_host or _is_loopback(listener):
        return (*_LOOPBACK, settings.host, f"[{settings.host}]", *settings.allow_host)
    return None


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _why(error: Exception) -> str:
    if not isinstance(error, OSError):
        return "that is no name."
    taken = error.errno == errno.EADDRINUSE
    # Python's own text has the address once more; that of a name that is not found has no number of the system's.
    return "somebody does already. Choose another by --port." if taken else f"{error.strerror or error}."


def _no_password() -> str:
    raise ValueError("the key is protected by a password")
