"""Rows of the ledger's tables as plain objects: making the tables' own would be most of the recorder's work."""

from dataclasses import dataclass
from datetime import date, datetime

from registry.task_state import OPEN, Outcome, TaskState

#: What a task is known by: its submitter and its id.
Key = tuple[str, str]


@dataclass(slots=True)
class TaskRow:
    """A row of :class:`registry.task_tables.Task`, which says what the fields are."""

    submitter: str
    id: str
    submitted_at: datetime
    region: str | None = None
    target: str | None = None
    model: str | None = None
    reply_to: str | None = None
    expires_at: datetime | None = None
    lease: float | None = None
    cancelled_at: datetime | None = None
    state: TaskState = TaskState.QUEUED
    device: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    message: str | None = None
    attempts: int = 0
    republished: int = 0
    items: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def key(self) -> Key:
        """What the task is known by."""
        return self.submitter, self.id

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.state in OPEN

    @property
    def is_submitted(self) -> bool:
        """Whether its submission was recorded. One that was cancelled before has a row as well."""
        return self.bytes_in > 0


@dataclass(slots=True)
class AttemptRow:
    """A row of :class:`registry.task_tables.Attempt`, which says what the fields are."""

    submitter: str
    task: str
    run: str
    device: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    cleared: bool = False
    reason: str | None = None
    progressed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InputRow:
    """A row of :class:`registry.task_tables.TaskInput`."""

    submitter: str
    task: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A row of :class:`registry.task_tables.TaskResult`."""

    submitter: str
    task: str
    at: datetime
    body: bytes


#: Day, owner, device, model.
UsageKey = tuple[date, int, str, str]


@dataclass(slots=True)
class Used:
    """What to add to a row of :class:`registry.task_tables.Usage`, which says what the fields are."""

    tasks: int = 0
    failed: int = 0
    items: int = 0
    tokens_claimed: int = 0
    compute_seconds: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
