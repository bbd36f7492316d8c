"""How much of a device its owner lends."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.measurement import MachineClass

#: The part of memory that is lent unless the owner says otherwise. A server is there to serve; a personal machine's
#: owner works beside us. A phone's system ends the programs that hold much of its memory, whoever is in front.
DEFAULT_MEMORY = {MachineClass.SERVER: 0.8, MachineClass.PERSONAL: 0.5, MachineClass.PHONE: 0.15}


class Share(BaseModel):
    """What an owner lends.

    Attributes:
        memory: the part of main memory, and of each GPU's own memory, from 0.0 to 1.0.
        threads: how many threads all models on the device may use together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    threads: Annotated[int, Field(ge=1, le=8192)]


def default_share(machine_class: MachineClass, physical_cores: int) -> Share:
    """Return what is lent unless the owner says otherwise: a part of the memory, and all cores but one."""
    return Share(memory=DEFAULT_MEMORY[machine_class], threads=max(1, physical_cores - 1))
