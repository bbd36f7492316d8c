"""A calibration: how fast a device runs a model, as it measured with the model loaded."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Calibration(BaseModel):
    """How many tasks of a model to run at once, and how many of a fixed small size it then does in a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slots: Annotated[int, Field(ge=1, le=64)]
    tasks_per_second: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
