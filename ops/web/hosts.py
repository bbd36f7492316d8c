"""The names by which a server may be called."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import Scope

#: What is said to who called the server by another one.
NOT_BY_THAT_NAME = "This server is not known by that name: see --allow-host."


class Hosts:
    """Tells whether a request is meant for this server.

    A browser that was led here by a name of somebody else's (DNS rebinding) says that name.

    Args:
        names: the names that requests may be for; ``None``: any.
    """

    def __init__(self, names: Collection[str] | None) -> None:
        self._names = None if names is None else frozenset(map(str.lower, names))

    def include(self, scope: Scope) -> bool:
        """Tell whether the request names one of them."""
        return self._names is None or _host(Headers(scope=scope)) in self._names


def _host(headers: Headers) -> str:
    """Return the name in the header ``Host``, without its port."""
    host = headers.get("host", "").lower()
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
