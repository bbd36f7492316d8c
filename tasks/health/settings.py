"""The bounds of the checks, each with the reason for it."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CheckSettings(BaseSettings):
    """How a device has to be. Each has a variable: ``STARAI_CHECK_ROUND_TRIP`` and so on.

    Attributes:
        key_change: seconds in which a device may sign with the old or the new key, while its keys are changed. The
            change is one message and one file's replacement; on a bad day with a new start in between.
        round_trip: seconds within which a device has to answer. On a sound line it takes less than one; what the
            platform itself takes to hear a large fleet out is in it. Below the 15 s of a cycle's deadline, so that a
            slow device is told from a silent one.
        bandwidth: bytes a second, each way. The vectors of 200 texts, some 400 KiB, take 25 s at 16 KiB a second; after
            30 s a device gives such a task back, so that it is done twice. A probe's 64 KiB take 4 s, which is still
            told from silence, and leaves room for what else the platform's own line carries meanwhile.
        cpu_temperature: degrees Celsius of the processor. Sound ones slow themselves down at 95 to 105 and some stand
            at 95 under load by design; above 100 the cooling has failed.
        memory_left: bytes of memory for programs. With less the system swaps: its models, whose weights are read for
            every step, become slower by orders of magnitude, or are killed.
        disk_left: bytes where its models are kept. With less the owner's system is in danger, and logs, keys and the
            next model cannot be written.
        gpu_temperature: degrees Celsius of the GPU in use. They slow themselves down from 83 to 93 on; above 95 the
            cooling has failed.
        cuda_driver: the oldest driver that serves the CUDA provider, whose ONNX Runtime is built for CUDA 13; NVIDIA
            names 580 for all of CUDA 13, and 525.60.13 for CUDA 12. The other providers come with the system's own
            drivers, and name no oldest one.
    """

    model_config = SettingsConfigDict(env_prefix="STARAI_CHECK_", frozen=True, extra="ignore")

    key_change: float = Field(default=600.0, ge=0)
    round_trip: float = Field(default=10.0, gt=0)
    bandwidth: float = Field(default=16 * 1024, gt=0)
    cpu_temperature: float = 100.0
    memory_left: int = Field(default=256 * 2**20, ge=0)
    disk_left: int = Field(default=512 * 2**20, ge=0)
    gpu_temperature: float = 95.0
    cuda_driver: str = Field(default="580", pattern=r"^\d{3}(\.\d{1,5}){0,2}$")
