"""Where a server listens, and who may come: options of a command, each with its environment variable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(dir_okay=False, path_type=Path)
_KINDS: dict[str, Any] = {"port": click.IntRange(0, 65535), "tls_cert": _FILE, "tls_key": _FILE}


@dataclass(frozen=True)
class Place:
    """Where a server listens.

    Attributes:
        host: a name or an address of this machine's; empty: all that it has.
        port: 0 for any that is free.
        tls_cert: the PEM file with the chain of the server's certificate, and tls_key: with its key; both or neither.
        plain: whether other machines may come without encryption.
        allow_host: names that requests may be for, beside the server's own.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    plain: bool = False
    allow_host: tuple[str, ...] = ()


def options(
    settings: type, prefix: str, helps: Mapping[str, str], kinds: Mapping[str, Any], variables: Mapping[str, str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what adds an option for each setting to a command, named as there.

    Args:
        settings: the class whose attributes are the defaults.
        prefix: what the options' environment variables begin with.
        helps: what is said of each, in order.
        kinds: their types, where click does not see them by the default.
        variables: of those whose variables do not begin with the prefix.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(list(helps)):
            kind, variable = (_KINDS | dict(kinds)).get(name), variables.get(name, prefix + name.upper())
            command = _option(name, getattr(settings, name), kind, variable, helps[name])(command)
        return command

    return add


def _option(name: str, default: Any, kind: Any, variable: str, text: str) -> Callable[..., Any]:
    many = isinstance(default, tuple)
    return click.option(
        f"--{name.replace('_', '-')}",
        type=kind,
        is_flag=default is False,
        multiple=many,
        metavar="NAME" if many else None,
        default=default,
        show_default=default not in (None, False, ()),
        envvar=variable,
        show_envvar=True,
        help=text,
    )
