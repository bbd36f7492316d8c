"""Trying again what may go by itself, with pauses that grow."""

import time
from collections.abc import Callable
from typing import TypeVar

from models.sources.edge import Passing

#: How often in a row something may fail without getting any further.
TRIES = 5
#: Seconds of the first pause; each one is twice as long as the one before, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

_T = TypeVar("_T")


def patiently(attempt: Callable[[], _T], done: Callable[[], int] = lambda: 0) -> _T:
    """Return what an attempt returns, the first one that does not fail.

    Args:
        attempt: what is tried.
        done: how far it got; who gets further has all tries again.

    Raises:
        Passing: it failed too often.
    """
    failures, furthest = 0, done()
    while True:
        try:
            return attempt()
        except Passing as error:
            now = done()
            failures, furthest = (0, now) if now > furthest else (failures + 1, furthest)
            if failures >= TRIES:
                raise
            pause = min(FIRST_PAUSE * 2 ** max(failures - 1, 0), LONGEST_PAUSE)
            time.sleep(pause if error.wait is None else error.wait)
