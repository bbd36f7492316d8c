"""What a health cycle may find of a device: data."""

from enum import StrEnum


class Check(StrEnum):
    """What is checked, in this order."""

    IDENTITY = "identity"
    NETWORK = "network"
    CPU = "cpu"
    GPU = "gpu"
    WORKLOAD = "workload"


class Condition(StrEnum):
    """How a device came out of the last cycle that asked it.

    Attributes:
        UNKNOWN: none has asked it yet.
        WELL: it answered, and no check failed.
        FAILED: it answered, and a check failed.
        SILENT: it did not answer in time.
    """

    UNKNOWN = "unknown"
    WELL = "well"
    FAILED = "failed"
    SILENT = "silent"
