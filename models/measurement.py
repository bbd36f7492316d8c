"""What a device measured of itself, as it tells the platform: a stranger's claim, so that every figure has bounds."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Bytes that no machine exceeds: 2^50, a thousand times the largest one of today.
_MOST_BYTES = 2**50

# No control characters: who lists devices on a terminal must not run what a device calls itself.
_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
_Name = Annotated[_Text, Field(min_length=1)]
_Bytes = Annotated[int, Field(ge=0, le=_MOST_BYTES)]
_Count = Annotated[int, Field(ge=1, le=8192)]
_Rate = Annotated[float, Field(gt=0, le=1e7, allow_inf_nan=False)]


class Maker(StrEnum):
    """Who made a GPU."""

    NVIDIA = "nvidia"
    AMD = "amd"
    APPLE = "apple"
    INTEL = "intel"
    OTHER = "other"


class MachineClass(StrEnum):
    """What a machine is for, as its owner says; the default share follows from it."""

    SERVER = "server"
    PERSONAL = "personal"
    PHONE = "phone"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Gpu(_Data):
    """A graphics processor.

    Attributes:
        name: as its driver tells it.
        memory_bytes: its own memory; Apple's have none, and tell the machine's. 0 where the driver is broken.
        driver: the driver's version; empty where it has none to tell.
        fault: why it cannot be used: a broken driver, or the engine's error when it tried; ``None`` when it is sound.
    """

    maker: Maker
    name: _Name
    memory_bytes: _Bytes
    driver: _Text = ""
    fault: _Text | None = None


class Speed(_Data):
    """What a number of the processor's threads reach together, while no other program is busy.

    Attributes:
        threads: the threads of one run.
        gflops: float32 matrix product, 10^9 operations a second; an addition and a multiplication are two.
        gb_per_s: reading float32 weights to multiply a vector, 10^9 bytes a second.
    """

    threads: _Count
    gflops: _Rate
    gb_per_s: _Rate


class Measurement(_Data):
    """A device's hardware and speed.

    Attributes:
        machine_class: what its owner says that it is for.
        threads: hardware threads; ``physical_cores`` have one or two of them each.
        memory_bytes: main memory of the machine, of which ``memory_available_bytes`` was free for programs.
        provider: the ONNX Runtime execution provider that really loaded a graph.
        not_loaded: why the accelerator that the engine is for did not load, where it did not.
        generates_on: the execution providers on which it runs language models; none without an engine for them.
        speeds: of the processor, by number of threads in rising order, the first with one.
    """

    operating_system: _Name
    machine_class: MachineClass
    cpu_model: _Name
    physical_cores: _Count
    threads: _Count
    memory_bytes: Annotated[_Bytes, Field(ge=1)]
    memory_available_bytes: _Bytes
    gpus: Annotated[tuple[Gpu, ...], Field(max_length=64)] = ()
    provider: _Name
    not_loaded: _Text | None = None
    generates_on: Annotated[tuple[_Name, ...], Field(max_length=8)] = ()
    speeds: Annotated[tuple[Speed, ...], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Measurement":
        counts = [speed.threads for speed in self.speeds]
        if counts[0] != 1 or counts != sorted(set(counts)):
            raise ValueError("the speeds are not those of one thread and then of more")
        if self.physical_cores > self.threads or self.memory_available_bytes > self.memory_bytes:
            raise ValueError("a part is larger than the whole")
        return self


def plain(text: str) -> str:
    """Return what a driver or an engine says as a measurement can hold it: one line, at most 200 characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:200]
