"""Where a server listens, how that is encrypted, and by which names it may be called."""

import errno
import ipaddress
import socket
import ssl

from ops.web.place import Place
from starai.errors import SettingError

# Names of this machine that no other can have.
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class PortTaken(SettingError):
    """Another program listens there already."""


def tls_of(place: Place) -> ssl.SSLContext | None:
    """Return what encrypts connections, if anything is to.

    Raises:
        SettingError: a file is missing, or cannot be used.
    """
    if place.tls_cert is None and place.tls_key is None:
        return None
    if place.tls_cert is None or place.tls_key is None:
        raise SettingError("--tls-cert and --tls-key belong together: give both, or neither.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(place.tls_cert, place.tls_key, password=_no_password)
    except (OSError, ValueError) as error:
        raise SettingError(f"{place.tls_cert} and {place.tls_key} cannot be used: {error}.") from error
    return context


def listener_of(place: Place, risk: str) -> socket.socket:
    """Return a socket that listens where it was asked for.

    Args:
        place: where.
        risk: what becomes of connections from other machines that are not encrypted.

    Raises:
        PortTaken: somebody listens there.
        SettingError: there is no such place here, or others could come without encryption.
    """
    try:
        listener = _listener(place)
    except (OSError, UnicodeError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        where = f"Nobody can listen at {place.host or 'all addresses'}, port {place.port}"
        raise (PortTaken if taken else SettingError)(f"{where}: {_why(error)}") from error
    if not (place.plain or place.tls_cert or _is_loopback(listener)):
        listener.close()
        raise SettingError(
            f"Other machines reach {place.host or 'all addresses'}, and {risk}. Give "
            "--tls-cert and --tls-key, or say --plain where the network between is trusted, or a proxy encrypts."
        )
    return listener


def url_of(place: Place, listener: socket.socket, host: str | None = None) -> str:
    """Return where clients find the server, without a path; by another host's name where one is given."""
    name = host or place.host
    shown = f"[{name}]" if ":" in name else name
    return f"http{'s' if place.tls_cert else ''}://{shown}:{listener.getsockname()[1]}"


def hosts_of(place: Place, listener: socket.socket) -> tuple[str, ...] | None:
    """Return the names that requests may be for; ``None``: any, where others may come and no name was given."""
    if place.allow_host or _is_loopback(listener):
        return (*_LOOPBACK, place.host, f"[{place.host}]", *place.allow_host)
    return None


def _listener(place: Place) -> socket.socket:
    if not place.host and socket.has_dualstack_ipv6():
        return socket.create_server(("", place.port), family=socket.AF_INET6, dualstack_ipv6=True)
    if not place.host:
        return socket.create_server(("", place.port))
    family, *_, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)[0]
    return socket.create_server((str(address[0]), int(address[1])), family=family)


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
