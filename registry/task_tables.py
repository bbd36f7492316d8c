"""The ledger's tables: every task, the attempts at it, and what became of it.

A task is known by its submitter and its id. What changes here needs a migration in ``registry/migrations/versions``.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field

from registry.columns import UtcDateTime, now, text_enum
from registry.tables import Table
from registry.task_state import Action, Outcome, TaskState

_IS_OPEN = text("state IN ('queued', 'started')")
_IS_CANCELLED = text("cancelled_at IS NOT NULL")
_IS_UNKNOWN = text("bytes_in = 0")
_IS_RUNNING = text("outcome = 'running'")
_IS_UNDONE = text("outcome IN ('lost', 'returned', 'overran')")
_AFTER_UNASKED = text("after_unasked")


class Task(Table, table=True):
    """A task that was submitted, or that its submitter asked to cancel before the ledger knew it.

    Attributes:
        region: of the queue; with ``target``, the model or tier that was asked for, its routing key.
        model: what ``target`` means, as it stands on the wire.
        submitted_at: when the recorder got it, by the platform's clock.
        expires_at: its deadline, as its submitter wrote it.
        lease: seconds that it may run on one device, where its submitter asked for another time than the usual.
        cancelled_at: when its submitter asked for that; the state follows.
        device: who ended it, or began it last; ``started_at`` and ``ended_at`` by the platform's clock.
        reason: why it failed, one of :class:`starai.wire.Reason`; ``message`` in words.
        attempts: how often it was started, as far as is known.
        republished: how often the platform put it back.
        items: texts in it; ``bytes_in`` and ``bytes_out`` are the bodies of its message and of its result.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_open", "target", "region", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("ix_tasks_submitter_submitted_at", "submitter", "submitted_at"),
        Index("ix_tasks_cancelled", "cancelled_at", sqlite_where=_IS_CANCELLED, postgresql_where=_IS_CANCELLED),
        Index("ix_tasks_unknown", "submitter", sqlite_where=_IS_UNKNOWN, postgresql_where=_IS_UNKNOWN),
    )

    submitter: str = Field(max_length=63, primary_key=True)
    id: str = Field(max_length=64, primary_key=True)
    region: str | None = Field(default=None, max_length=32)
    target: str | None = Field(default=None, max_length=63)
    model: str | None = Field(default=None, max_length=63)
    reply_to: str | None = Field(default=None, max_length=120)
    submitted_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease: float | None = None
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: TaskState = Field(default=TaskState.QUEUED, sa_column=Column(text_enum(TaskState), nullable=False))
    device: str | None = Field(default=None, max_length=63)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    reason: str | None = Field(default=None, max_length=32)
    message: str | None = Field(default=None, max_length=500)
    attempts: int = 0
    republished: int = 0
    items: int = 0
    bytes_in: int = Field(default=0, sa_type=BigInteger)
    bytes_out: int = Field(default=0, sa_type=BigInteger)


class TaskInput(Table, table=True):
    """The body of a task's message, kept while the task may have to be sent again."""

    __tablename__ = "task_inputs"

    submitter: str = Field(max_length=63, primary_key=True)
    task: str = Field(max_length=64, primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class TaskResult(Table, table=True):
    """The report with a task's result, as it came: JSON of :class:`starai.wire.Report`. Kept for a time."""

    __tablename__ = "task_results"

    submitter: str = Field(max_length=63, primary_key=True)
    task: str = Field(max_length=64, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Attempt(Table, table=True):
    """One device's attempt at a task.

    Attributes:
        run: the attempt's own id, by the device.
        device: who said so, as the broker validated.
        started_at: when the platform heard of it; of an attempt that was only heard of when it had ended, what the
            device says, within bounds.
        cleared: whether the device asked first, because the task had come back.
        after_unasked: of one that was cleared, whether some device had begun the task before without having to ask.
        progressed_at: when the platform heard last that a text which is being generated has got on.
        judged_at: when it was decided whether its end counts against the device, where another one had to do the task.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_running", "device", sqlite_where=_IS_RUNNING, postgresql_where=_IS_RUNNING),
        Index("ix_attempts_after_unasked", "started_at", sqlite_where=_AFTER_UNASKED, postgresql_where=_AFTER_UNASKED),
        Index("ix_attempts_undone", "judged_at", "ended_at", sqlite_where=_IS_UNDONE, postgresql_where=_IS_UNDONE),
    )

    submitter: str = Field(max_length=63, primary_key=True)
    task: str = Field(max_length=64, primary_key=True)
    run: str = Field(max_length=64, primary_key=True)
    device: str = Field(max_length=63)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: Outcome = Field(default=Outcome.RUNNING, sa_column=Column(text_enum(Outcome), nullable=False))
    cleared: bool = False
    reason: str | None = Field(default=None, max_length=500)
    progressed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # These may be null because the recorder, which writes attempts in bulk, leaves them out.
    after_unasked: bool | None = None
    judged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TaskAction(Table, table=True):
    """Something that the platform did with a task of itself, and why."""

    __tablename__ = "task_actions"
    __table_args__ = (Index(None, "submitter", "task"),)

    id: int | None = Field(default=None, primary_key=True)
    submitter: str = Field(max_length=63)
    task: str = Field(max_length=64)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    action: Action = Field(sa_column=Column(text_enum(Action), nullable=False))
    reason: str = Field(max_length=500)


class DeadLetter(Table, table=True):
    """A message that a queue gave up, as the queue ``failed`` had it.

    Attributes:
        digest: a SHA-256 over all of it, so that it is kept once.
        submitter: who sent it, where the broker validated that; ``task`` and ``reply_to`` as the message says.
        queue: which gave it up last; ``reason`` is RabbitMQ's; ``deaths`` how often any did.
        headers: what it came with, in JSON.
        ended_at: when its submitter was told; ``retried_at`` when it was put back.
    """

    __tablename__ = "dead_letters"

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(max_length=64, unique=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    submitter: str | None = Field(default=None, max_length=63, index=True)
    task: str | None = Field(default=None, max_length=64)
    reply_to: str | None = Field(default=None, max_length=120)
    key: str = Field(max_length=255)
    queue: str = Field(max_length=255)
    reason: str = Field(max_length=64)
    deaths: int
    headers: str = Field(sa_type=Text)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Usage(Table, table=True):
    """What one device did with one model on one day (UTC), for the owner that it had then.

    Attributes:
        tasks: that succeeded; ``failed`` those that did not.
        items: texts in them; ``tokens_claimed``: what the device says, 0 where it says nothing.
        compute_seconds: from started to answered as the platform saw them.
        bytes_in: of the tasks' messages; ``bytes_out`` of the results.
    """

    __tablename__ = "usage"

    day: date = Field(primary_key=True)
    owner_id: int = Field(foreign_key="owners.id", primary_key=True)
    device: str = Field(max_length=63, foreign_key="devices.id", primary_key=True)
    model: str = Field(max_length=63, primary_key=True)
    tasks: int = 0
    failed: int = 0
    items: int = Field(default=0, sa_type=BigInteger)
    tokens_claimed: int = Field(default=0, sa_type=BigInteger)
    compute_seconds: float = 0.0
    bytes_in: int = Field(default=0, sa_type=BigInteger)
    bytes_out: int = Field(default=0, sa_type=BigInteger)


class LedgerMark(Table, table=True):
    """A mark that the platform put into the ledger's queue: everything before it has been recorded."""

    __tablename__ = "ledger_marks"

    id: str = Field(max_length=64, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
