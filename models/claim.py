"""What a device claims when it asks to join: what it measured, what its owner lends, how fast it ran models."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.measurement import Measurement
from models.share import Share


class Rate(BaseModel):
    """What a device measured with a model loaded.

    Attributes:
        slots: how many tasks at once are worth while.
        tasks_per_second: how many of a fixed small size it then does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slots: Annotated[int, Field(ge=1, le=64)]
    tasks_per_second: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class Claim(BaseModel):
    """All of it is a stranger's word. ``rates`` are those of the models that it has tried, by their names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured: Measurement
    share: Share
    rates: Annotated[dict[Annotated[str, Field(max_length=63)], Rate], Field(max_length=64)] = {}
