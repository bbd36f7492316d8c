"""What a device claims when it asks to join: what it measured, what its owner lends, how fast it ran models."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.calibration import Calibration
from models.measurement import Measurement
from models.share import Share


class Claim(BaseModel):
    """All of it is a stranger's word. ``calibrations`` are of the models that it has tried, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured: Measurement
    share: Share
    calibrations: Annotated[dict[Annotated[str, Field(max_length=63)], Calibration], Field(max_length=64)] = {}
