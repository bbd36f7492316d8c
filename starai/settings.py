"""Where the library finds the network: arguments first, then the environment, then the local network."""

import json
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.home import home, write_private
from broker_config.regions import Region, parse_region
from starai.errors import SettingError


class ClientSettings(BaseSettings):
    """The environment's say: ``STARAI_BROKER_URL`` and ``STARAI_REGION``."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    broker_url: SecretStr | None = None
    region: Region | None = None


def find_network(url: str | None, region: str | None) -> tuple[str, Region]:
    """Return the broker's address and the submitter's region.

    Raises:
        SettingError: neither the arguments nor the environment name a network, and none runs locally.
        InvalidName: there is no such region.
    """
    settings = _environment()
    local = {} if url or settings.broker_url else _local_network()
    address = url or (settings.broker_url.get_secret_value() if settings.broker_url else local["url"])
    chosen = parse_region(region) if region else settings.region
    return address, chosen or parse_region(local.get("region", Region.EUROPE))


def network_file() -> Path:
    """Return the file in which a running local network says how to reach it."""
    return home() / "network.json"


def announce_network(url: str, region: Region) -> None:
    """Write down, for this user alone, how submitters reach the local network."""
    write_private(network_file(), json.dumps({"url": url, "region": str(region)}))


def _environment() -> ClientSettings:
    try:
        return ClientSettings()
    except ValidationError as error:
        wrong = ", ".join(f"STARAI_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingError(f"The environment has a setting that cannot be used: {wrong}.") from error


def _local_network() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(network_file().read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingError(
            "No network is known: start one here with `starai up`, or set STARAI_BROKER_URL to its address."
        ) from error
    return found
