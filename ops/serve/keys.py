"""The API keys of this machine's endpoint: kept as hashes, in a private file in the home."""

import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from broker_config.home import home, private_folder, write_private
from ops.known import nearest
from starai.errors import SettingError

_BEGINNING = "sk-starai-"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class ApiKey(BaseModel):
    """What is kept of a key. It has 256 random bits, so that its plain SHA-256 tells nothing of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    hash: str
    made_at: datetime


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    keys: tuple[ApiKey, ...] = ()


def keys_file() -> Path:
    """Return the file with the keys."""
    return home() / "serve" / "keys.json"


def all_keys() -> tuple[ApiKey, ...]:
    """Return what is kept of all keys, the oldest first.

    Raises:
        SettingError: the file is there and cannot be read.
    """
    file = keys_file()
    try:
        return _Kept.model_validate_json(file.read_text("utf-8")).keys
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SettingError(f"The API keys in {file} cannot be read. Remove the file, and make new ones.") from error


def issue_key(name: str) -> str:
    """Make a key, and return it: nobody can show it a second time.

    Raises:
        SettingError: it cannot be called so, or another one is.
    """
    if not _NAME.fullmatch(name):
        raise SettingError(
            f"{name[:80]!r} cannot be a key's name: use 1 to 64 of a-z, 0-9, '-', '_' and '.', "
            "beginning and ending with a letter or digit."
        )
    key = _BEGINNING + secrets.token_urlsafe(32)
    with _alone():
        known = all_keys()
        if any(name == each.name for each in known):
            raise SettingError(f"There is an API key {name!r} already: revoke it first, or choose another name.")
        _keep(*known, ApiKey(name=name, hash=_hash(key), made_at=datetime.now(UTC)))
    return key


def check_key(name: str) -> None:
    """Make sure that there is a key of that name.

    Raises:
        SettingError: there is none.
    """
    names = [key.name for key in all_keys()]
    if name not in names:
        raise SettingError(
            f"There is no API key {name[:80]!r}.{nearest(name, names)} `starai serve keys list` shows all."
        )


def revoke_key(name: str) -> None:
    """Let nobody in by that key any more; endpoints that run see it at the next request.

    Raises:
        SettingError: there is none.
    """
    with _alone():
        check_key(name)
        _keep(*(key for key in all_keys() if key.name != name))


class KeyRing:
    """Tells whose key a request has. It sees at once what was issued and revoked meanwhile."""

    def __init__(self) -> None:
        self._seen: tuple[int, ...] | None = None
        self._keys: tuple[ApiKey, ...] = ()

    def name_of(self, presented: str) -> str | None:
        """Return the key's name, or nothing where there is no such key. How long it takes tells nothing of any key.

        Raises:
            SettingError: the keys cannot be read.
        """
        self._look()
        found, hashed = None, _hash(presented)
        for key in self._keys:
            if hmac.compare_digest(key.hash, hashed):
                found = key.name
        return found

    def _look(self) -> None:
        try:
            about = keys_file().stat()
        except FileNotFoundError:
            self._seen, self._keys = None, ()
            return
        seen = about.st_mtime_ns, about.st_ino, about.st_size
        if seen != self._seen:
            self._keys = all_keys()
            self._seen = seen


@contextmanager
def _alone() -> Iterator[None]:
    private_folder(keys_file().parent)
    with FileLock(keys_file().with_suffix(".lock"), mode=0o600):
        yield


def _keep(*keys: ApiKey) -> None:
    write_private(keys_file(), _Kept(keys=keys).model_dump_json(indent=2))


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
