"""What can be set about the endpoint: options of the command, each with its environment variable."""

from dataclasses import dataclass
from typing import Any

import click

from broker_config.regions import Region
from ops.web.place import Place, options
from starai.generation import MOST_TOKENS
from starai.submission import DEADLINE, LONGEST_DEADLINE


@dataclass(frozen=True)
class Settings(Place):
    """How the endpoint serves.

    Attributes:
        region: where to look for devices first.
        most_requests: under way at once.
        max_tokens: of a chat's answer, where a request does not say.
        deadline: seconds within which what a request asks has to begin.
        grace: seconds that requests under way have to end when the server is stopped.
    """

    region: str | None = None
    most_requests: int = 256
    max_tokens: int = 1024
    deadline: float = DEADLINE
    grace: int = 10


_KINDS: dict[str, Any] = {
    "region": click.Choice([str(region) for region in Region]),
    "most_requests": click.IntRange(1, 100_000),
    "max_tokens": click.IntRange(1, MOST_TOKENS),
    "deadline": click.FloatRange(0, LONGEST_DEADLINE, min_open=True),
    "grace": click.IntRange(0, 3600),
}
_HELP = {
    "host": "The name or address to listen at; any but a loopback address needs TLS, or --plain.",
    "port": "The port to listen at; 0 for any that is free.",
    "region": "Where to look for a device first.  [default: the local network's]",
    "tls_cert": "A PEM file with the certificate's chain: clients come by https.",
    "tls_key": "A PEM file with the certificate's key.",
    "plain": "Let other machines come without encryption: behind a proxy, or in a trusted network.",
    "allow_host": "A name by which requests may call this server, beside its own; again for more. For proxies.",
    "most_requests": "Requests under way at once; more are refused with 429.",
    "max_tokens": "Tokens of a chat's answer, at the most, where a request does not say.",
    "deadline": "Seconds within which what a request asks for has to begin; then it gets a 504.",
    "grace": "Seconds that requests under way have to end, when the server is stopped.",
}


#: Adds an option for each of :class:`Settings` to a command, named as there.
serve_options = options(Settings, "STARAI_SERVE_", _HELP, _KINDS, {"region": "STARAI_REGION"})
