"""How a task ended other than with a result, as the error that it stands for."""

from starai.errors import BadInput, Cancelled, Expired, FailedOnDevice, Rejected, TaskError, UnknownModel
from starai.request import JobState, JobStatus
from starai.wire import Reason, Report, State

_FAILURES: dict[Reason, type[TaskError]] = {
    Reason.BAD_INPUT: BadInput,
    Reason.UNKNOWN_MODEL: UnknownModel,
    Reason.DEVICE: FailedOnDevice,
}


def error_of(report: Report) -> TaskError:
    """Return the error that a task's end other than a result stands for."""
    if report.state is State.EXPIRED:
        return Expired(f"Task {report.task} was not begun before its deadline.", report.task)
    if report.state is State.CANCELLED:
        return Cancelled(f"Task {report.task} was cancelled.", report.task)
    if report.failure is None:
        return FailedOnDevice(f"Device {report.device} ended task {report.task} without a result.", report.task)
    return _FAILURES[report.failure.reason](report.failure.message, report.task)


def error_of_status(status: JobStatus) -> TaskError:
    """Return the error for a job that ended in a way of which there is no report."""
    if status.state is JobState.REJECTED:
        return Rejected(f"Task {status.id} was not taken: the queue of {status.target} was full.", status.id)
    return FailedOnDevice(f"Task {status.id} ended as {status.state}, and nobody said more.", status.id)
