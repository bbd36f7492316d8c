"""What an owner wants of the device that runs, or of the next one that is started: to pause, to exit."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PauseWish(_Data):
    """Take no tasks ``until`` then, or until the owner says otherwise."""

    until: AwareDatetime | None = None


class ExitWish(_Data):
    """End. ``grace``: seconds for running tasks; without it, what the device was started with."""

    grace: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class Wishes(_Data):
    """All that an owner wishes of a device."""

    pause: PauseWish | None = None
    exit: ExitWish | None = None

    def pause_at(self, now: datetime) -> PauseWish | None:
        """Return the pause that holds at that time."""
        is_over = self.pause is None or (self.pause.until is not None and self.pause.until <= now)
        return None if is_over else self.pause
