"""What a text costs through the network, against the same text in process. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from bench.errors import BenchError
from bench.figures import median
from bench.generation.text import Question, Timed


class Pair(NamedTuple):
    """One question both ways, one right after the other: only such two are compared, whatever the machine's pace."""

    question: Question
    in_process: Timed
    network: Timed

    @property
    def ratio(self) -> float:
        """The tokens a second through the network against those in process."""
        return rate(self.network) / rate(self.in_process)

    @property
    def later(self) -> float:
        """How many seconds later the first piece comes through the network."""
        return self.network.first - self.in_process.first

    def require_comparable(self) -> None:
        """Make sure that both are the same text, of the length that was asked for.

        Raises:
            BenchError: they are not.
        """
        if self.in_process.text != self.network.text:
            raise BenchError("The text through the network is not that of the same model in process.")
        for timed in (self.in_process, self.network):
            if timed.tokens != self.question.tokens:
                raise BenchError(f"A text has {timed.tokens} tokens, not the {self.question.tokens} it was asked for.")


class Range(NamedTuple):
    """Several measurements of the same."""

    median: float
    lowest: float
    highest: float


def rate(timed: Timed) -> float:
    """Return the tokens a second, from the question to the end of the text."""
    return timed.tokens / timed.seconds


def rate_after_first(timed: Timed) -> float:
    """Return the tokens a second once the prompt has been read."""
    return (timed.tokens - 1) / (timed.seconds - timed.first)


def range_of(values: Sequence[float]) -> Range:
    """Return their median, and how far they lie apart."""
    return Range(median(values), min(values), max(values))
