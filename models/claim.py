"""What a device claims when it asks to join: what it measured, what its owner lends, how fast it ran models."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.calibration import Calibration
from models.measurement import Measurement
from models.share import Share

_Model = Annotated[str, Field(max_length=63)]


class Claim(BaseModel):
    """All of it is a stranger's word.

    Attributes:
        calibrations: of the models that it has tried, by name.
        unable: models that it could not fetch or run when it tried; it is not to host them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured: Measurement
    share: Share
    calibrations: Annotated[dict[_Model, Calibration], Field(max_length=64)] = {}
    unable: Annotated[frozenset[_Model], Field(max_length=64)] = frozenset()
