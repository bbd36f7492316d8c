"""The login to Flower's pages, made once and kept, and where they are while Flower runs: private files in the home."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from broker_config.home import home, write_private
from broker_config.users import new_password
from starai.errors import SettingError

USER = "starai"


class Login(BaseModel):
    """Who may look. No error repeats the password."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    user: str
    password: SecretStr


class _Address(BaseModel):
    url: str


def login_file() -> Path:
    """Return the file with the login."""
    return home() / "flower" / "login.json"


def kept_login() -> Login:
    """Return the login; the first time, make it and keep it for this user alone to read.

    Raises:
        SettingError: the file is there and cannot be read.
    """
    file = login_file()
    if not file.exists():
        made = Login(user=USER, password=new_password())
        write_private(file, _text(made))
        return made
    try:
        return Login.model_validate_json(file.read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise SettingError(f"Flower's login in {file} cannot be read. Remove the file: a new one is made.") from error


def address_file() -> Path:
    """Return the file in which Flower says where it is."""
    return home() / "flower" / "address.json"


def announce_address(url: str) -> None:
    """Write down where Flower is."""
    write_private(address_file(), _Address(url=url).model_dump_json())


def forget_address() -> None:
    """Remove what :func:`announce_address` wrote."""
    address_file().unlink(missing_ok=True)


def announced_address() -> str | None:
    """Return where Flower is, if it has said so."""
    try:
        return _Address.model_validate_json(address_file().read_text("utf-8")).url
    except FileNotFoundError:
        return None


def _text(login: Login) -> str:
    return json.dumps({"user": login.user, "password": login.password.get_secret_value()})
