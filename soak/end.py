"""How a task may have ended, in the words of the soak's account."""

from enum import StrEnum

from starai.errors import BadInput, Cancelled, Expired, FailedOnDevice, Rejected, UnknownModel
from starai.job import Job


class End(StrEnum):
    """An end; ``OPEN``: none yet. ``UNKNOWN``: whoever is asked does not know the task."""

    ANSWERED = "answered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    OPEN = "open"
    UNKNOWN = "unknown"


def end_of(job: Job) -> tuple[End, str]:
    """Return how a job ended, as its submitter was told, and why; silence is no end."""
    if not job.done:
        return End.OPEN, ""
    try:
        job.result(0)
    except (BadInput, UnknownModel, FailedOnDevice) as error:
        return End.FAILED, str(error)
    except Cancelled as error:
        return End.CANCELLED, str(error)
    except Rejected as error:
        return End.REJECTED, str(error)
    except Expired as error:
        return End.EXPIRED, str(error)
    except Exception as error:  # noqa: BLE001 - closed, unknown, gone: no end
        return End.OPEN, f"{type(error).__name__}: {error}"
    return End.ANSWERED, ""
