"""What enrolment gave this device: its identity, its place at the broker, and what it is to host."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from broker_config.home import home, write_private
from broker_config.invalid import first_error
from broker_config.regions import Region
from starai.errors import SettingError
from tasks.deployment import Deployment


class Enrolment(BaseModel):
    """Everything that a device needs to start. ``url`` holds its own broker user's password.

    ``sound`` says whether the device is in good standing; one that is not gets what no other has a slot for.
    ``ca`` is the network's authority as PEM text: the broker's certificate must be from it. Without one it must be
    from one that this system trusts, or that ``STARAI_BROKER_CA`` names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str
    region: Region
    url: SecretStr
    deployments: Annotated[list[Deployment], Field(min_length=1)]
    threads: Annotated[int, Field(ge=1)] = 1
    sound: bool = True
    ca: str | None = None

    @field_validator("deployments")
    @classmethod
    def _each_model_once(cls, deployments: list[Deployment]) -> list[Deployment]:
        if len({deployment.model for deployment in deployments}) < len(deployments):
            raise ValueError("a model is deployed twice")
        return deployments


def enrolment_file() -> Path:
    """Return where this machine's device keeps its enrolment."""
    return home() / "enrolment.json"


def save_enrolment(enrolment: Enrolment, path: Path) -> None:
    """Write the enrolment down for this user alone."""
    plain = enrolment.model_dump(mode="json") | {"url": enrolment.url.get_secret_value()}
    write_private(path, json.dumps(plain, indent=2))


def load_enrolment(path: Path) -> Enrolment:
    """Read the enrolment.

    Raises:
        SettingError: there is none, or it cannot be read.
    """
    try:
        return Enrolment.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingError(f"This device has not joined a network: there is no {path}.") from error
    except OSError as error:
        raise SettingError(f"The enrolment in {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:  # its text would be part of the file, and so is the password
        raise SettingError(f"The enrolment in {path} is not UTF-8 text. Join the network again.") from None
    except ValidationError as error:
        raise SettingError(
            f"The enrolment in {path} is wrong: {first_error(error, 'the file')}. Join the network again."
        ) from None
