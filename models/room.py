"""Room for one model more, within what is lent to models and on the disk; pure. GB are 10^9 bytes."""

from collections.abc import Iterable
from dataclasses import dataclass

from starai.errors import ModelUnavailable


@dataclass(frozen=True)
class Stored:
    """A model that takes room.

    Attributes:
        last_used: in seconds since the epoch.
        is_kept: whether it is never removed to make room: it is in use, or the device is to host it.
    """

    name: str
    size: int
    last_used: float
    is_kept: bool = False


@dataclass(frozen=True)
class Room:
    """What there is.

    Attributes:
        lent: bytes that all models may take together; ``None``: half of what is free where there are none.
        free: bytes that are free on the disk now.
        stored: the models that are there.
        where: the folder that they are in.
    """

    lent: int | None
    free: int
    stored: tuple[Stored, ...]
    where: str

    @property
    def taken(self) -> int:
        """The bytes of all models."""
        return sum(one.size for one in self.stored)

    @property
    def most(self) -> int:
        """The bytes that all models may take together."""
        return (self.free + self.taken) // 2 if self.lent is None else self.lent


def to_remove(room: Room, name: str, size: int, missing: int) -> list[str]:
    """Return the models to remove before another one is fetched, the least recently used first; mostly none.

    Args:
        room: what there is.
        name: the model.
        size: the bytes that it takes in the end.
        missing: the bytes that are still to be written.

    Raises:
        ModelUnavailable: it would not suffice to remove all that may be; the message has the figures.
    """
    removed: list[Stored] = []
    candidates = iter(sorted((one for one in room.stored if not one.is_kept), key=lambda one: one.last_used))
    while problem := _problem(room, removed, name, size, missing):
        if (one := next(candidates, None)) is None:
            raise ModelUnavailable(problem)
        removed.append(one)
    return [one.name for one in removed]


def _problem(room: Room, removed: Iterable[Stored], name: str, size: int, missing: int) -> str | None:
    gained = sum(one.size for one in removed)
    if missing > room.free + gained:
        return (
            f"There is no room for the model {name}: {gb(missing)} are needed in {room.where}, and "
            f"{gb(room.free + gained)} are free. Make room there, or set STARAI_HOME to a folder elsewhere."
        )
    if room.taken - gained + size > room.most:
        return (
            f"There is no room for the model {name}: it takes {gb(size)}, and of the {gb(room.most)} that models may "
            f"take, {gb(room.taken - gained)} are taken by those that this device hosts or that are in use. Lend more: "
            "`disk` in preferences.toml, or --disk."
        )
    return None


def gb(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e9:.2f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"
