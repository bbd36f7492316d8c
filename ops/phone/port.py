"""The page's port, the same from one start to the next: a browser keeps a phone's keys for one address alone."""

import socket
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker_config.home import home, write_private
from ops.web.listening import PortTaken, listener_of
from ops.web.place import Place
from starai.errors import SettingError

#: The first port that is tried at the first start, and how many are.
DEFAULT_PORT = 8455
_TRIED = 100
_RISK = "a browser gives a page of another machine keys only if it came encrypted"


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = Field(ge=1, le=65535)


def page_file() -> Path:
    """Return the file with the port."""
    return home() / "phone" / "page.json"


def listen_at(place: Place) -> socket.socket:
    """Return a socket that listens at a port that was asked for, which is not kept.

    Raises:
        SettingError: nobody can listen there.
    """
    return listener_of(place, _RISK)


def listen_as_before(place: Place) -> socket.socket:
    """Return a socket that listens at the port that was kept; the first time, at one that is free, which is kept.

    Raises:
        PortTaken: another program has it.
        SettingError: nobody can listen there, or the file cannot be read.
    """
    kept = _kept()
    if kept is None:
        return _first(place)
    try:
        return listen_at(replace(place, port=kept))
    except PortTaken as error:
        raise PortTaken(
            f"Another program has the port {kept}, at which phones know this network's page. End that program. Or "
            f"remove {page_file()}: another port is chosen then, and every phone has to join again."
        ) from error


def _first(place: Place) -> socket.socket:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _TRIED):
        try:
            listener = listen_at(replace(place, port=port))
        except PortTaken:
            continue
        write_private(page_file(), _Kept(port=port).model_dump_json())
        return listener
    raise PortTaken(f"All ports from {DEFAULT_PORT} on are taken, {_TRIED} of them. Choose another by --port.")


def _kept() -> int | None:
    file = page_file()
    try:
        return _Kept.model_validate_json(file.read_text("utf-8")).port
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SettingError(f"{file} cannot be read. Remove it: every phone has to join again then.") from error
