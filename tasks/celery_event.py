"""Celery's own events about tasks and devices, as stock Flower reads them: data, made of what the platform knows.

They hold no texts and no results. A task is shown by its id; of its arguments, the model, the region and the submitter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from time import time
from typing import Any

from broker_config import names
from registry.ledger_rows import AttemptRow, TaskRow
from registry.task_state import TaskState

Event = dict[str, Any]

#: Celery's type of event for each way in which a task may end.
_ENDS: Mapping[TaskState, str] = {
    TaskState.SUCCEEDED: "task-succeeded",
    TaskState.FAILED: "task-failed",
    TaskState.EXPIRED: "task-revoked",
    TaskState.CANCELLED: "task-revoked",
    TaskState.REJECTED: "task-rejected",
}
# Flower orders what it hears by this: Celery's logical clock. It goes on where the last process stopped.
_clock = count(int(time() * 1000))


@dataclass(frozen=True)
class Told:
    """What was told of a task so far.

    Attributes:
        runs: attempts of which a start was told.
        device: who runs it, as was told last.
    """

    sent: bool = False
    runs: frozenset[str] = frozenset()
    device: str | None = None
    ended: bool = False


def task_events(told: Told, task: TaskRow, attempts: Iterable[AttemptRow]) -> tuple[list[Event], Told]:
    """Return what is to be told of a task besides what was, and what has been told then.

    Args:
        told: what was told of it before.
        task: as the ledger has it now.
        attempts: those that changed; each was checked to be of a device that was given the task.
    """
    if told.ended:
        return [], told
    events = [] if told.sent else [_event("task-sent", names.PLATFORM, task, task.submitted_at, **_described(task))]
    told = replace(told, sent=True)
    for attempt in sorted(attempts, key=lambda attempt: attempt.started_at):
        if attempt.run not in told.runs:
            events += _moved(told, task, attempt.started_at)
            events += _begun(task, attempt.device, attempt.started_at)
            told = replace(told, runs=told.runs | {attempt.run}, device=attempt.device)
    if task.state is TaskState.QUEUED and told.device:
        events += _moved(told, task, datetime.now(task.submitted_at.tzinfo))
        told = replace(told, device=None)
    if not task.is_open:
        events.append(_ended(task))
        told = replace(told, ended=True)
    return events, told


def device_event(kind: str, device: str, **fields: object) -> Event:
    """Return an event about a device's presence: ``worker-online``, ``worker-heartbeat``, ``worker-offline``."""
    return {"type": kind, "hostname": device, "timestamp": time(), "pid": 0, "clock": next(_clock), **fields}


def _moved(told: Told, task: TaskRow, at: datetime) -> list[Event]:
    """Tell that a device which had the task has it no more."""
    if told.device is None:
        return []
    lost = {"exception": "The device ended, gave the task back, or ran it for too long.", "traceback": None}
    return [_event("task-retried", told.device, task, at, **lost)]


def _begun(task: TaskRow, device: str, at: datetime) -> list[Event]:
    received = _event("task-received", device, task, at, **_described(task), retries=max(task.attempts - 1, 0))
    return [received, _event("task-started", device, task, at)]


def _ended(task: TaskRow) -> Event:
    fields: dict[str, object] = {}
    if task.state is TaskState.SUCCEEDED:
        fields = {"result": "", "runtime": _runtime(task)}
    elif task.state is TaskState.FAILED:
        fields = {"exception": task.reason or "", "traceback": None}
    elif task.state is not TaskState.REJECTED:
        fields = {"expired": task.state is TaskState.EXPIRED, "terminated": False, "signum": None}
    return _event(_ENDS[task.state], task.device or names.PLATFORM, task, task.ended_at, **fields)


def _runtime(task: TaskRow) -> float | None:
    if task.started_at is None or task.ended_at is None:
        return None
    return max((task.ended_at - task.started_at).total_seconds(), 0.0)


def _described(task: TaskRow) -> dict[str, object]:
    """Return what shows of a task besides its id. Celery sends arguments as text for people, and so it is here."""
    shown = {"model": task.model, "region": task.region, "submitter": task.submitter}
    return {
        "name": names.INFERENCE_TASK,
        "args": "()",
        "kwargs": str(shown),
        "root_id": task.id,
        "parent_id": None,
        "eta": None,
        "expires": task.expires_at.isoformat() if task.expires_at else None,
        "exchange": names.INFERENCE,
        "routing_key": f"{task.region}.{task.target}",
    }


def _event(kind: str, hostname: str, task: TaskRow, at: datetime | None, **fields: object) -> Event:
    # Without "utcoffset": Celery would take these, which are Unix times, for local ones of that zone.
    moment = at.timestamp() if at else time()
    common = {"type": kind, "hostname": hostname, "uuid": task.id, "timestamp": moment, "pid": 0}
    return common | {"clock": next(_clock)} | fields
