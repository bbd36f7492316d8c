"""What a device says when it comes and when it goes, and what it is told of its standing; all of it by its own user."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from broker_config.regions import Region
from tasks.envelope import Message

#: Keys of ``reports``: what a device says when it is there, when it goes, and when it asks how it stands.
HELLO, GOODBYE, STANDING = "hello", "goodbye", "standing"
#: The state of a device that no registry knows, or whose greeting could not be taken.
UNKNOWN = "unknown"

_Text = Annotated[str, Field(max_length=500)]


class Hello(Message):
    """A device is there, over a new connection. ``software`` is the version that it runs."""

    software: Annotated[str, Field(max_length=40)] = ""


class Goodbye(Message):
    """A device goes, by its owner's choice. ``left`` is how many of its tasks it leaves to others."""

    left: Annotated[int, Field(ge=0, le=100_000)] = 0


class Greeted(Message):
    """What the platform answers to both: the device's state from now on, and whether it is in the upper band."""

    state: str
    sound: bool


class StandingEvent(Message):
    """Something in a device's history; ``cost`` is what it took of its trust, ``trust`` what was left."""

    at: AwareDatetime
    kind: str
    reason: _Text
    check: str | None = None
    cost: float | None = None
    trust: float | None = None


class Standing(Message):
    """How a device stands with the network, and why.

    Attributes:
        state: as the registry has it, and ``since`` when.
        trust: from 0.0 to 1.0, now.
        sound: whether it is in the upper band; below ``demoted_below`` it falls out of it, from ``sound_from`` on it
            comes back; ``quarantined_below`` and ``blacklisted_below`` are further down.
        condition: how the last check found it, ``checked_at`` when, and ``reason`` why where it was not well.
        events: the newest first, those that cost it trust among them.
    """

    device: str
    owner: str
    region: Region
    state: str
    since: AwareDatetime | None = None
    trust: float
    sound: bool
    demoted_below: float
    sound_from: float
    quarantined_below: float
    blacklisted_below: float
    quarantined_until: AwareDatetime | None = None
    blacklisted_until: AwareDatetime | None = None
    condition: str
    checked_at: AwareDatetime | None = None
    reason: str | None = None
    events: Annotated[tuple[StandingEvent, ...], Field(max_length=100)] = ()
