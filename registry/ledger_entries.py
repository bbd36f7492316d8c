"""What the ledger's messages say, once they were read: entries, from which the rows of its tables are made."""

from dataclasses import dataclass
from datetime import datetime

from starai.wire import State

#: What is said of a task whose device sent a result that is none. Its submitter is told the same by the library.
BROKEN = "The device sent a broken result."


@dataclass(frozen=True, slots=True)
class Submitted:
    """A task was submitted, at that time by the platform's clock.

    Attributes:
        model: what ``target`` means, as it stands on the wire.
        lease: seconds on one device, where its submitter asked for that.
        items: texts in it; 0 where the body cannot be read, which a device will say.
    """

    submitter: str
    task: str
    at: datetime
    region: str | None
    target: str | None
    model: str | None
    reply_to: str
    expires_at: datetime | None
    lease: float | None
    items: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Reported:
    """Something became of a task, at that time by the platform's clock.

    Attributes:
        submitter: whose reply queue it went to.
        device: who said so, as the broker validated; ``None``: the platform.
        run: the attempt's own id, which every report of a device has.
        claimed: seconds since the device began, as it says, or ``None`` where it says nothing.
        reason: one of :class:`starai.wire.Reason`; ``message`` in words.
        size: bytes of the report.
        body: the report itself where it has a result, else empty.
        kind: of the models that make such a result, as the catalogue calls it; ``None`` where there is no result.
        shape: of the array of floats that a result is; ``None`` of everything else.
        tokens: in the text that a result is, as its device says.
        waited: whether it lay at the broker because the recorder was not there or behind, so that ``at`` says little.
    """

    submitter: str
    task: str
    at: datetime
    reply_to: str
    state: State
    device: str | None
    run: str | None
    claimed: float | None
    reason: str | None
    message: str | None
    size: int
    body: bytes
    waited: bool = False
    kind: str | None = None
    shape: tuple[int, ...] | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Marked:
    """The platform's mark: everything before it has been recorded."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A queue gave a message up; the attributes are those of :class:`registry.task_tables.DeadLetter`."""

    digest: str
    at: datetime
    submitter: str | None
    task: str | None
    reply_to: str | None
    key: str
    queue: str
    reason: str
    deaths: int
    headers: str
    body: bytes


Entry = Submitted | Reported | Marked | DeadLettered
