"""A deployment: one model that a device hosts, as the platform tells the device."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from broker_config.tiers import Tier


class Deployment(BaseModel):
    """A model that a device hosts.

    Attributes:
        slots: how many of its tasks the device runs at once.
        speed: how fast the device runs it against the others, from 0.0 to 1.0 on a log scale; 0.5 is the median.
        threads: of the processor, for its process; ``None``: as many as the enrolment gives each model.
        gpu: the place of its GPU among those that the device measured; ``None`` for the processor.
        memory_bytes: what it may take there, with all its slots; ``None`` where nobody reckoned it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(max_length=63)]
    tier: Tier
    slots: Annotated[int, Field(ge=1, le=64)] = 1
    speed: Annotated[float, Field(ge=0, le=1)] = 0.5
    threads: Annotated[int, Field(ge=1, le=8192)] | None = None
    gpu: Annotated[int, Field(ge=0, le=63)] | None = None
    memory_bytes: Annotated[int, Field(ge=0, le=2**50)] | None = None
