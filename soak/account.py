"""The account: what the ledger says became of every task, beside what its submitter was told. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from soak.end import End

#: A task: its submitter and its id.
Key = tuple[str, str]


@dataclass(frozen=True)
class Told:
    """How a task ended, as one side has it, and why."""

    end: End
    detail: str = ""


@dataclass(frozen=True)
class Difference:
    """A task of which the two sides do not say the same."""

    submitter: str
    task: str
    ledger: Told
    told: Told


@dataclass(frozen=True)
class Account:
    """Both sides, and where they differ.

    Attributes:
        ledger: how many tasks ended how; ``told`` as their submitters count.
        unsaid: tasks that the library rejected and whose submitter was killed in that moment, so that the network
            was not told to leave them, and did them.
        unexplained: tasks that failed without a reason.
    """

    submitted: int
    ledger: dict[End, int]
    told: dict[End, int]
    differences: list[Difference] = field(default_factory=list)
    unsaid: list[Key] = field(default_factory=list)
    unexplained: list[Key] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether every task has ended, has the same end on both sides, and a reason where it failed."""
        open_ = self.ledger[End.OPEN] + self.told[End.OPEN]
        return self.submitted > 0 and not (self.differences or self.unexplained or open_)


_NOWHERE = Told(End.UNKNOWN)


def account(
    ledger: Mapping[Key, Told], told: Mapping[Key, Told], killed_when_told: Collection[Key] = frozenset()
) -> Account:
    """Compare task by task; ``killed_when_told`` are those whose submitter was killed when it was told."""
    differences, unsaid, unexplained = [], [], []
    ends = dict.fromkeys(End, 0), dict.fromkeys(End, 0)
    for key in sorted({*ledger, *told}):
        sides = ledger.get(key, _NOWHERE), told.get(key, _NOWHERE)
        for counted, side in zip(ends, sides, strict=True):
            counted[side.end] += 1
        if sides[0].end is not sides[1].end and sides[1].end is End.REJECTED and key in killed_when_told:
            unsaid.append(key)
        elif sides[0].end is not sides[1].end:
            differences.append(Difference(*key, *sides))
        elif sides[0].end is End.FAILED and not all(side.detail for side in sides):
            unexplained.append(key)
    return Account(len(told), *ends, differences, unsaid, unexplained)
