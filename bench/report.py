"""What a benchmark found: tables and targets, independent of how they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A figure and the limit it is held against.

    Attributes:
        at_most: whether the figure must not exceed the limit; otherwise it must reach it.
        applies: whether it is meant for the RabbitMQ that was measured.
    """

    what: str
    measured: float
    limit: float
    at_most: bool = True
    applies: bool = True

    @property
    def met(self) -> bool:
        """Whether the figure is within the limit."""
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or ``not meant`` for this RabbitMQ."""
        if not self.applies:
            return "not meant for this RabbitMQ"
        return "met" if self.met else "missed"

    @property
    def goal(self) -> str:
        """The limit, as it is written down."""
        return f"{'<=' if self.at_most else '>='} {number(self.limit)}"


@dataclass(frozen=True)
class Table:
    """Rows of text under their columns' names."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Report:
    """What one benchmark found.

    Attributes:
        name: how the benchmark is called on the command line.
        notes: what was measured and how, a paragraph each.
    """

    name: str
    notes: Sequence[str]
    tables: Sequence[Table]
    targets: Sequence[Target]


def number(value: float) -> str:
    """Write a figure with three significant digits, whole from 100 on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def milliseconds(seconds: float) -> str:
    """Write seconds as milliseconds."""
    return f"{1000 * seconds:.2f}" if seconds < 0.1 else f"{1000 * seconds:,.0f}"
