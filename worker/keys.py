"""A device's own keys: Ed25519 to sign with, X25519 to be sent secrets with; made once, kept by this user alone."""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from filelock import FileLock

from broker_config import base64url
from broker_config.home import home, private_folder, write_private
from starai.errors import SettingError


@dataclass(frozen=True)
class DeviceKeys:
    """The two private keys. Neither is ever shown."""

    signing: Ed25519PrivateKey = field(repr=False)
    sealing: X25519PrivateKey = field(repr=False)

    @property
    def public_signing(self) -> bytes:
        """The 32 bytes by which the network knows this device."""
        return self.signing.public_key().public_bytes_raw()

    @property
    def public_sealing(self) -> bytes:
        """The 32 bytes to which secrets for this device are sealed."""
        return self.sealing.public_key().public_bytes_raw()


def new_keys() -> DeviceKeys:
    """Return keys that nobody has."""
    return DeviceKeys(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())


def keys_file() -> Path:
    """Return where this machine's device keeps its keys."""
    return home() / "keys.json"


def keys_beside(enrolment: Path) -> Path:
    """Return where the device with that enrolment's file keeps its keys."""
    return enrolment.with_name("keys.json")


def load_or_make_keys(path: Path) -> DeviceKeys:
    """Return the keys in the file, made if there are none; processes that do so at once get the same ones.

    Raises:
        SettingError: the file cannot be read or written, others may read it, or it holds no keys.
    """
    try:
        private_folder(path.parent)
        with FileLock(path.with_suffix(".lock"), mode=0o600):
            if not path.exists():
                _save(new_keys(), path)
    except OSError as error:
        raise SettingError(f"The keys in {path} cannot be written: {error.strerror}.") from error
    return load_keys(path)


def load_keys(path: Path) -> DeviceKeys:
    """Return the keys in the file.

    Raises:
        SettingError: it cannot be read, others may read it, or it holds no keys.
    """
    content = _read(path)
    try:
        raw = json.loads(content)
        return _keys(base64url.decode(raw["signing"]), base64url.decode(raw["sealing"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    # Outside of the handler: the cause would show what was read.
    raise SettingError(f"The file {path} does not hold a device's keys. Put it back, or remove it and join again.")


def begin_rotation(path: Path) -> DeviceKeys:
    """Return the keys that are to follow those in the file. Both are kept until the platform took the new ones.

    A rotation that was begun and not finished goes on with the same keys: the platform may have taken them.

    Raises:
        SettingError: the file cannot be read or written, others may read it, or it holds no keys.
    """
    return load_or_make_keys(_next(path))


def finish_rotation(path: Path) -> DeviceKeys:
    """Put the keys that follow in the place of those in the file, once the platform took them; return them.

    Raises:
        SettingError: no rotation was begun, or the file cannot be written.
    """
    keys = load_keys(_next(path))
    try:
        _next(path).replace(path)
    except OSError as error:
        raise SettingError(f"The keys in {path} cannot be replaced: {error.strerror}.") from error
    return keys


def _read(path: Path) -> bytes:
    try:
        _refuse_open(path)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SettingError(f"This device has no keys: there is no {path}. Join a network first.") from error
    except OSError as error:
        raise SettingError(f"The keys in {path} cannot be read: {error.strerror}.") from error


def _save(keys: DeviceKeys, path: Path) -> None:
    raw = {"signing": keys.signing.private_bytes_raw(), "sealing": keys.sealing.private_bytes_raw()}
    write_private(path, json.dumps({name: base64url.encode(key) for name, key in raw.items()}))


def _keys(signing: bytes, sealing: bytes) -> DeviceKeys:
    return DeviceKeys(Ed25519PrivateKey.from_private_bytes(signing), X25519PrivateKey.from_private_bytes(sealing))


def _next(path: Path) -> Path:
    return path.with_name(f"next-{path.name}")


def _refuse_open(path: Path) -> None:
    """Refuse keys that others may have read. Windows keeps access in lists, not in a mode."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingError(
            f"The keys in {path} may be read by others on this machine. If nobody did, run: chmod 600 {path}. "
            "Otherwise remove the file and join again."
        )
