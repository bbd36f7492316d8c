"""The ledger's rows of a task as its submitter is told of them. Pure."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from registry.task_state import TaskState
from registry.task_tables import Task, TaskAction
from starai.errors import NotPossible
from starai.request import JobAction, JobState, JobStatus, TaskId
from starai.wire import Failure, Reason, Report, State

_ENDS = {
    TaskState.FAILED: State.FAILED,
    TaskState.EXPIRED: State.EXPIRED,
    TaskState.CANCELLED: State.CANCELLED,
}
_CURSOR: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[AwareDatetime, TaskId])


def status_of(task: Task, actions: Iterable[TaskAction] = ()) -> JobStatus:
    """Return what a submitter is told of a task."""
    columns = task.model_dump(include=set(JobStatus.model_fields) - {"state", "actions"})
    told = [JobAction(at=action.at, action=action.action, reason=action.reason) for action in actions]
    return JobStatus(**columns, state=JobState(task.state.value), actions=told)


def end_of(task: Task) -> Report | None:
    """Return the report of a task's end where that is no result, or nothing where there was no report."""
    state = _ENDS.get(task.state)
    if state is None or task.ended_at is None:
        return None
    failure = Failure(reason=_reason(task), message=task.message or "") if state is State.FAILED else None
    return Report(task=task.id, state=state, at=task.ended_at.timestamp(), device=task.device, failure=failure)


def write_cursor(task: Task) -> str:
    """Return what asks for the tasks after this one."""
    return f"{task.submitted_at.isoformat()}/{task.id}"


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the time of submission and the id after which a list goes on.

    Raises:
        NotPossible: no answer said that.
    """
    try:
        return _CURSOR.validate_python(cursor.split("/"))
    except ValidationError as error:
        raise NotPossible("The cursor is none that an answer gave.") from error


def _reason(task: Task) -> Reason:
    return Reason(task.reason) if task.reason in tuple(Reason) else Reason.DEVICE
