"""What can be set about the endpoint: options of the command, each with its environment variable."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from broker_config.regions import Region
from starai.generation import MOST_TOKENS
from starai.submission import DEADLINE, LONGEST_DEADLINE


@dataclass(frozen=True)
class Settings:
    """How the endpoint serves.

    Attributes:
        host: a name or an address of this machine's; port: 0 for any that is free.
        region: where to look for devices first.
        tls_cert: the PEM file with the chain of the server's certificate, and tls_key: with its key; both or neither.
        plain: whether other machines may come without encryption.
        allow_host: names that requests may be for, beside the server's own.
        most_requests: under way at once.
        max_tokens: of a chat's answer, where a request does not say.
        deadline: seconds within which what a request asks has to begin.
        grace: seconds that requests under way have to end when the server is stopped.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    region: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    plain: bool = False
    allow_host: tuple[str, ...] = ()
    most_requests: int = 256
    max_tokens: int = 1024
    deadline: float = DEADLINE
    grace: int = 10


_FILE = click.Path(dir_okay=False, path_type=Path)
_KINDS: dict[str, Any] = {
    "port": click.IntRange(0, 65535),
    "region": click.Choice([str(region) for region in Region]),
    "tls_cert": _FILE,
    "tls_key": _FILE,
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


def serve_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each of :class:`Settings` to a command, named as there."""
    for name in reversed(_HELP):
        command = _option(name)(command)
    return command


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    default, many = getattr(Settings, name), name == "allow_host"
    return click.option(
        f"--{name.replace('_', '-')}",
        type=_KINDS.get(name),
        is_flag=default is False,
        multiple=many,
        metavar="NAME" if many else None,
        default=default,
        show_default=default not in (None, False, ()),
        # The region is every command's.
        envvar="STARAI_REGION" if name == "region" else f"STARAI_SERVE_{name.upper()}",
        show_envvar=True,
        help=_HELP[name],
    )
