"""A submitter as a process of its own: it asks for tasks at random moments, and may die and come back.

Usage: python -m soak.submitter FILE, with a :class:`Part` in JSON; the broker's address is in STARAI_BROKER_URL. It
ends when nothing of its own is open any more, or with its standard input.
"""

import os
import random
import sys
import time
from pathlib import Path

import psutil
from pydantic import BaseModel

from broker_config.lifeline import watch_lifeline
from broker_config.logs import log_to_stderr
from broker_config.regions import Region
from soak.journal import Journal, Reader
from soak.load import Wish, wish
from soak.submitting import PATIENCE, Submitting

_LONGEST_PAUSE = 0.2
_MOST_AT_ONCE = 100
# Seconds of tasks that are made up for after the broker was away.
_LATE = 3.0


class Part(BaseModel):
    """What one submitter does.

    Attributes:
        rate: tasks a second, on average.
        until: when it submits no more, in Unix time.
        death: a file; once it is there, the submitter kills itself: between two submissions, because what it never
            learned that it had submitted it could not count.
    """

    journal: Path
    region: Region
    seed: int
    rate: float
    until: float
    death: Path


def main(file: str) -> None:
    """Submit, then wait for the ends."""
    log_to_stderr()
    watch_lifeline(lambda: os._exit(0))
    part = Part.model_validate_json(Path(file).read_text("utf-8"))
    known = [entry.task for entry in Reader(part.journal).read().values() if entry.ended is None]
    submitting = Submitting(os.environ["STARAI_BROKER_URL"], Journal(part.journal), known)
    _submit(part, submitting)
    patience = time.monotonic() + PATIENCE
    while submitting.open and time.monotonic() < patience:
        time.sleep(_LONGEST_PAUSE)
    submitting.close()


def _submit(part: Part, submitting: Submitting) -> None:
    chosen = random.Random(part.seed)
    due = time.time()
    while time.time() < part.until:
        if part.death.exists():
            part.death.unlink()
            psutil.Process().kill()
        wishes: list[Wish] = []
        while due <= time.time() and len(wishes) < _MOST_AT_ONCE:
            wishes.append(wish(chosen, part.region))
            due = max(due + chosen.expovariate(part.rate), time.time() - _LATE)
        submitting.submit(wishes)
        time.sleep(min(max(due - time.time(), 0.0), _LONGEST_PAUSE))


if __name__ == "__main__":
    main(*sys.argv[1:])
