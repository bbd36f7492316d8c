"""What a device and the platform say of a task that came back: may it be started, and how often was it begun?"""

from typing import Annotated, Literal

from pydantic import Field

from tasks.envelope import Message


class ClearanceRequest(Message):
    """A device holds a task that may have been started before.

    Attributes:
        reply_to: where the task's submitter is answered, which says who that is.
        run: the id of the attempt that this would be.
        model: what the device would run it on, by its name in the catalogue.
        returns: how often the task came back, as its queue says; a classic queue says 1 at most.
        republished: whether the message is the platform's own, so that none was started unasked.
    """

    version: Literal[1] = 1
    task: Annotated[str, Field(pattern=r"\A[A-Za-z0-9._:-]{1,64}\z")]
    reply_to: Annotated[str, Field(max_length=120)]
    run: Annotated[str, Field(pattern=r"\A[0-9a-f]{1,64}\z")]
    model: Annotated[str, Field(max_length=63)]
    returns: Annotated[int, Field(ge=0)]
    republished: bool


class ClearanceAnswer(Message):
    """Whether the device is to start the task; if not, it acknowledges it and says nothing more of it.

    Attributes:
        attempt: the how manyth this is, from 1, or ``None`` where the platform cannot tell.
        reason: why not, for the device's log.
    """

    version: Literal[1] = 1
    start: bool
    attempt: Annotated[int, Field(ge=1)] | None = None
    reason: Annotated[str, Field(max_length=500)] | None = None
