"""What a submitter asks of the platform about its own jobs, and what is answered, as JSON.

A request is published to the exchange ``requests`` under the key ``job.<verb>``, with the sender's ``user_id``, which
the broker validates, and ``reply_to`` ``amq.rabbitmq.reply-to``. What cannot be answered is a :class:`Refused`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from starai.wire import MAX_BODY, Report

#: The largest request that is read, in bytes, and the largest answer: a result, and a little about it.
MAX_REQUEST, MAX_ANSWER = 128 * 1024, MAX_BODY + 64 * 1024
#: The most jobs that one request may name, and that one answer lists.
MOST_JOBS = 1000
#: The most tasks that a submitter may cancel or withdraw before the ledger knows of them.
MOST_TOMBSTONES = 10_000

#: What a task's id looks like, as a regular expression.
TASK_ID = r"[A-Za-z0-9._:-]{1,64}"

TaskId = Annotated[str, Field(pattern=rf"^{TASK_ID}$")]
_Word = Annotated[str, Field(max_length=63)]


class Verb(StrEnum):
    """What may be asked. The routing key is ``job.<verb>``."""

    STATUS = "status"
    RESULT = "result"
    LIST = "list"
    CANCEL = "cancel"
    RETRY = "retry"
    WITHDRAW = "withdraw"

    @property
    def key(self) -> str:
        """The routing key of such requests."""
        return f"job.{self}"


class JobState(StrEnum):
    """Where a job is.

    Attributes:
        QUEUED: submitted, and not known to be started; or put back.
        REJECTED: its queue was full, so that it was withdrawn.
    """

    QUEUED = "queued"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


#: States in which something is still to come.
OPEN = frozenset({JobState.QUEUED, JobState.STARTED})
#: States that a job does not leave, unless it is retried.
ENDED = frozenset(JobState) - OPEN


class Refusal(StrEnum):
    """Why something was not answered.

    Attributes:
        UNKNOWN: there is no such task, or it is another's.
        GONE: it is not kept any more.
        NOT_POSSIBLE: what the job has become does not allow it.
        MALFORMED: the request is none.
        UNAVAILABLE: the platform cannot say just now.
    """

    UNKNOWN = "unknown"
    GONE = "gone"
    NOT_POSSIBLE = "not-possible"
    MALFORMED = "malformed"
    UNAVAILABLE = "unavailable"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobRequest(_Message):
    """Asks for one job's status or result."""

    task: TaskId


class CancelRequest(_Message):
    """Asks that a job does not start any more, or stops.

    Attributes:
        reply_to: where its submitter reads its reports, and ``region`` and ``target``, the words of its routing key:
            who submitted it knows them, and the ledger perhaps not yet.
    """

    task: TaskId
    reply_to: Annotated[str, Field(max_length=120)] | None = None
    region: Annotated[str, Field(max_length=32)] | None = None
    target: _Word | None = None


class RetryRequest(_Message):
    """Asks that a job that failed or expired is tried again; ``deadline`` is in seconds from now."""

    task: TaskId
    deadline: Annotated[float, Field(gt=0, le=30 * 86_400)]


class WithdrawRequest(_Message):
    """Takes back tasks that a full queue refused: the ledger got its copy of each."""

    tasks: Annotated[list[TaskId], Field(min_length=1, max_length=MOST_JOBS)]


class ListRequest(_Message):
    """Asks for jobs, the newest first.

    Attributes:
        states: of which states; of all where there are none.
        since: submitted then or later.
        tasks: only these.
        cursor: where the answer before this one ended, as it said.
    """

    states: Annotated[list[JobState], Field(max_length=len(JobState))] = []
    since: AwareDatetime | None = None
    tasks: Annotated[list[TaskId], Field(max_length=MOST_JOBS)] = []
    limit: Annotated[int, Field(ge=1, le=MOST_JOBS)] = 100
    cursor: Annotated[str, Field(max_length=120)] | None = None


class JobAction(_Message):
    """Something that the platform did with a job of itself, and why."""

    at: datetime
    action: Annotated[str, Field(max_length=32)]
    reason: Annotated[str, Field(max_length=500)]


class JobStatus(_Message):
    """What the ledger knows of a job. Times are the platform's, in UTC.

    Attributes:
        target: the model or tier that was asked for; ``region`` where.
        device: who ended it, or began it last.
        attempts: how often it was started, as far as is known; ``republished`` how often the platform put it back.
        reason: why it failed, one of :class:`starai.wire.Reason`; ``message`` in words.
        expires_at: its deadline; ``cancelled_at`` when its submitter asked for that.
        items: texts in it.
        actions: what the platform did with it, the oldest first. A list of jobs leaves them out.
    """

    id: TaskId
    state: JobState
    submitted_at: datetime
    target: _Word | None = None
    region: Annotated[str, Field(max_length=32)] | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    cancelled_at: datetime | None = None
    device: _Word | None = None
    attempts: int = 0
    republished: int = 0
    items: int = 0
    reason: Annotated[str, Field(max_length=32)] | None = None
    message: Annotated[str, Field(max_length=500)] | None = None
    actions: Annotated[list[JobAction], Field(max_length=1000)] = []


class JobList(_Message):
    """Jobs; ``cursor`` asks for those after them, and is there where there may be some."""

    jobs: Annotated[list[JobStatus], Field(max_length=MOST_JOBS)]
    cursor: Annotated[str, Field(max_length=120)] | None = None


class Withdrawn(_Message):
    """Says how many tasks were withdrawn."""

    tasks: int


class Refused(_Message):
    """Says why something was not answered or done, in words for the submitter."""

    refusal: Refusal
    message: Annotated[str, Field(max_length=500)]


#: What is answered, beside what was asked for.
STATUS_ANSWER: TypeAdapter[JobStatus | Refused] = TypeAdapter(JobStatus | Refused)
#: The report that ended the job; or its status, where it has not ended or no report says how.
RESULT_ANSWER: TypeAdapter[Report | JobStatus | Refused] = TypeAdapter(Report | JobStatus | Refused)
LIST_ANSWER: TypeAdapter[JobList | Refused] = TypeAdapter(JobList | Refused)
WITHDRAW_ANSWER: TypeAdapter[Withdrawn | Refused] = TypeAdapter(Withdrawn | Refused)
