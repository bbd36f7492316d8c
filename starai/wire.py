"""The wire contract: what a task and the states of a task look like as JSON.

A task travels as a Celery message (protocol 2) naming :data:`broker_config.names.INFERENCE_TASK`, whose
keyword arguments are :class:`Arguments`. What becomes of it travels as :class:`Report` messages on the
``results`` exchange, under the key ``<reply queue>.<state>``.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from starai.generation import ChatMessage, Generated, Options

#: The largest task or result that is sent or taken, in bytes of its JSON body.
MAX_BODY = 8 * 1024 * 1024
#: The most texts in one task; a longer list is for ``Client.map``, which splits it.
MAX_TEXTS = 4096
#: The most turns of one conversation, and the most arrays in one task or result.
MAX_MESSAGES, MAX_TENSORS = 1000, 64


class State(StrEnum):
    """What a task may be in, after it was submitted.

    Attributes:
        PIECE: an attempt has made a piece of its text. It goes to the submitter alone, who asked for a stream.
        PROGRESS: an attempt goes on, which extends its lease.
        REQUEUED: an attempt is over, and another is to come.
    """

    STARTED = "started"
    PIECE = "piece"
    PROGRESS = "progress"
    REQUEUED = "requeued"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


#: States after which nothing more is said of a task.
FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELLED})


class Reason(StrEnum):
    """Why a task failed, so that the submitter gets the right error."""

    BAD_INPUT = "bad-input"
    UNKNOWN_MODEL = "unknown-model"
    DEVICE = "device"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tensor(_Message):
    """An array as base64 of its little-endian bytes in C order."""

    dtype: Literal["<f4", "<f2", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"]
    shape: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=8)]
    data: str


# The first kind that fits is meant: to look at all of them would cost a task with much data most of its time.
#: What a task asks about.
Inputs = Annotated[
    str
    | Annotated[list[str], Field(max_length=MAX_TEXTS)]
    | Annotated[list[ChatMessage], Field(max_length=MAX_MESSAGES)]
    | Annotated[dict[str, Tensor], Field(min_length=1, max_length=MAX_TENSORS)],
    Field(union_mode="left_to_right"),
]
#: What a task's result is: vectors, a text, or arrays by their names.
Output = Annotated[
    Tensor | Generated | Annotated[dict[str, Tensor], Field(min_length=1, max_length=MAX_TENSORS)],
    Field(union_mode="left_to_right"),
]


class Arguments(_Message):
    """A task's keyword arguments.

    Attributes:
        inputs: one text, or several, for a model that makes vectors; a prompt or a conversation for one that goes on
            from it; arrays by their names for one that takes those.
        options: how a text is to be generated.
        stream: whether its pieces are sent as they are made.
    """

    inputs: Inputs
    options: Options | None = None
    stream: bool = False


class Failure(_Message):
    """Why a task did not succeed, in words for the submitter."""

    reason: Reason
    message: Annotated[str, Field(max_length=2000)]


class Report(_Message):
    """One state of one task.

    Attributes:
        at: Unix time in seconds (UTC).
        run: tells apart the attempts at a task.
        note: for ``requeued``: why the task was put back into its queue, in words for the submitter.
        started: when a device began this attempt, in Unix time; a task that ends soon is not said to have started
            in a report of its own.
        offset: for ``piece``: how many characters of the attempt's text come before ``text``.
    """

    task: Annotated[str, Field(max_length=64)]
    state: State
    at: float
    run: Annotated[str, Field(max_length=64)] | None = None
    started: float | None = None
    device: Annotated[str, Field(max_length=63)] | None = None
    region: Annotated[str, Field(max_length=32)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
    text: str | None = None
    output: Output | None = None
    failure: Failure | None = None
