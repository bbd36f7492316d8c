"""Where the library finds the network: arguments first, then the environment, then the local network."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.home import home, write_private
from broker_config.regions import Region, parse_region
from starai.errors import SettingError


class ClientSettings(BaseSettings):
    """The environment's say: ``STARAI_BROKER_URL`` and ``STARAI_REGION``."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    broker_url: SecretStr | None = None
    region: Region | None = None


class _LocalNetwork(BaseModel):
    """What a running local network says of itself. Its address holds a password, so no error repeats it."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str
    region: Region = Region.EUROPE


def find_network(url: str | None, region: str | None) -> tuple[str, Region]:
    """Return the broker's address and the submitter's region.

    Raises:
        SettingError: neither the arguments nor the environment name a network, and none runs locally.
        InvalidName: there is no such region.
    """
    settings = _environment()
    chosen = parse_region(region) if region else settings.region
    named = url or (settings.broker_url and settings.broker_url.get_secret_value())
    if named:
        return named, chosen or Region.EUROPE
    local = _local_network()
    return local.url, chosen or local.region


def network_file() -> Path:
    """Return the file in which a running local network says how to reach it."""
    return home() / "network.json"


def announce_network(url: str, region: Region) -> None:
    """Write down, for this user alone, how submitters reach the local network."""
    write_private(network_file(), _LocalNetwork(url=url, region=region).model_dump_json())


def forget_network() -> None:
    """Remove what :func:`announce_network` wrote: the local network has stopped."""
    network_file().unlink(missing_ok=True)


def _environment() -> ClientSettings:
    try:
        return ClientSettings()
    except ValidationError as error:
        wrong = ", ".join(f"STARAI_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingError(f"The environment has a setting that cannot be used: {wrong}.") from error


def _local_network() -> _LocalNetwork:
    try:
        return _LocalNetwork.model_validate_json(network_file().read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingError(
            "No network is known: start one here with `starai up`, or set STARAI_BROKER_URL to its address."
        ) from error
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{network_file()} cannot be read: remove it, then `starai up` writes it anew.") from error
