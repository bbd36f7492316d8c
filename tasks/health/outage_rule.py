"""When it is the network that is unwell and not its devices: then nothing counts against them. Pure."""

from dataclasses import dataclass

#: Devices that fail or are silent at once, before that can be the network's doing, and the share of those at work.
_LEAST, _SHARE = 2, 1 / 3
#: Periods from one cycle's beginning to the next one's, beyond which the platform was away.
_AWAY = 2.5


@dataclass(frozen=True)
class Circumstances:
    """Under which a cycle was made; times in seconds.

    Attributes:
        period: from one cycle to the next, as set; ``deadline``: what devices had.
        active: devices at work when it began; ``unwell``: those of them that failed or were silent.
        since_previous: from the beginning of the last cycle that ended to that of this one; ``None``: there was none.
        broker_up: for how long the broker has run; ``None``: it could not be asked.
        lost_link: the platform's own connection ended while it waited.
    """

    period: float
    deadline: float
    active: int
    unwell: int
    since_previous: float | None = None
    broker_up: float | None = None
    lost_link: bool = False

    @property
    def was_away(self) -> bool:
        """Whether the platform let cycles fall out."""
        return self.since_previous is not None and self.since_previous > _AWAY * self.period


def outage(found: Circumstances) -> str | None:
    """Return why this is an outage, in words, or nothing where it is none."""
    if found.lost_link:
        return "the platform lost its connection to the broker while it waited for answers"
    if found.was_away:
        return f"the platform was away: the last cycle began {found.since_previous:.0f} s before this one"
    if found.broker_up is not None and found.broker_up < found.period + found.deadline:
        return f"the broker has run for {found.broker_up:.0f} s only"
    if found.unwell >= _LEAST and found.unwell > _SHARE * found.active:
        return f"{found.unwell} of {found.active} devices at work failed or were silent at once"
    return None
