"""How often devices are asked, and how long they have."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.probe import MOST_PADDING


class CycleSettings(BaseSettings):
    """Each has a variable: ``STARAI_HEALTH_SECONDS`` and so on.

    Attributes:
        health_seconds: from one cycle over the whole fleet to the next.
        health_deadline_seconds: after the last probe left, for the answers.
        greeting_seconds: from one look for devices that said that they are here to the next;
            ``greeting_deadline_seconds`` is what these have.
        health_grace_seconds: for devices that are taken out of work to end what they run.
        health_padding_bytes: what a timed transfer takes each way; 0: none is made.
        health_padding_every: a device is asked for one in so many cycles.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    health_seconds: float = Field(default=60.0, gt=0)
    health_deadline_seconds: float = Field(default=15.0, gt=0)
    greeting_seconds: float = Field(default=5.0, gt=0)
    greeting_deadline_seconds: float = Field(default=4.0, gt=0)
    health_grace_seconds: float = Field(default=5.0, ge=0)
    health_padding_bytes: int = Field(default=64 * 1024, ge=0, le=MOST_PADDING)
    health_padding_every: int = Field(default=30, ge=1)
