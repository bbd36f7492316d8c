"""Where the page by which phones join is, while it is served on this machine: a private file in the home."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from broker_config.home import home, write_private
from starai.errors import SettingError


class _Address(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: str


def address_file() -> Path:
    """Return the file in which the page's server says where it is."""
    return home() / "phone" / "address.json"


def announce_page(url: str) -> None:
    """Write down where the page is, as phones find it: ``https://HOST:PORT``."""
    write_private(address_file(), _Address(url=url).model_dump_json())


def forget_page() -> None:
    """Remove what :func:`announce_page` wrote."""
    address_file().unlink(missing_ok=True)


def announced_page() -> str | None:
    """Return where the page is, without its path, if it has said so.

    Raises:
        SettingError: the file is there and cannot be read.
    """
    file = address_file()
    try:
        return _Address.model_validate_json(file.read_text("utf-8")).url
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SettingError(f"{file} cannot be read: remove it, then `starai phones` writes it anew.") from error
