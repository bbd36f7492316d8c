"""Statistics of measurements."""

import statistics
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies, from 0.0 to 1.0, interpolated linearly.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values have no percentile")
    return float(np.quantile(np.asarray(values), share))


def median(values: Sequence[float]) -> float:
    """Return the middle of the values, or the mean of the two in the middle.

    Raises:
        ValueError: there are no values.
    """
    return float(statistics.median(values))


def spread(values: Sequence[float]) -> float:
    """Return the range of the values relative to their median: 0.1 says that they lie within 10 % of it."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def growth(values: Sequence[float]) -> float:
    """Return by how much a later value exceeds the first at the most, relative to the first: 0.2 says 20 %."""
    return max(value / values[0] - 1.0 for value in values)


def interleaved(contenders: Sequence[T], runs: int) -> Iterator[tuple[int, T]]:
    """Return A B A B ...: each contender once a run, so that a machine that changes its pace does it to all."""
    return ((run, contender) for run in range(1, runs + 1) for contender in contenders)
