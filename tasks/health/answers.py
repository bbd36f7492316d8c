"""Which of the messages that come during a round is a device's answer, before anybody judges it. Pure."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from tasks.envelope import Base64
from tasks.probe import MAX_REPORT, Probe

#: The most that is kept of a report: enough to see that it is too large.
MOST_KEPT = 2 * MAX_REPORT + 1


class _Outer(BaseModel):
    content: Annotated[Base64, Field(max_length=MAX_REPORT)]


class _Inner(BaseModel):
    cycle: int
    nonce: str


def is_late(body: bytes, asked: Probe) -> bool:
    """Tell whether a report answers a probe of another cycle than this one: such a one is late, or was replayed.

    Outside of a cycle all probes have the number 0, so that any other nonce may be an earlier probe's. What cannot be
    read is not late: who sent it, has answered.
    """
    try:
        found = _Inner.model_validate_json(_Outer.model_validate_json(body).content)
    except ValidationError:
        return False
    return found.cycle != asked.cycle or (asked.cycle == 0 and found.nonce != asked.nonce)
