"""The sweep: every few seconds, all that no message tells by itself and somebody has to look for."""

import logging
import threading
from collections.abc import Callable, Mapping

from sqlalchemy import Engine

from registry.turn import Turn, turn
from starai.errors import StarAIError
from tasks.mark import Marks

log = logging.getLogger(__name__)

#: One thing that is looked for, and what is done about it.
Part = Callable[[], object]


class Sweep:
    """Runs its parts one after the other, one sweep at a time. A part that fails keeps no other from its work.

    Args:
        engine: the registry's.
        marks: tells whether the recorder has come as far as the present.
        before: parts, by name, that come before that question.
        after: parts, by name, that compare the ledger with the present. They run only when the recorder has come that
            far: what is waiting to be recorded may say that a task has long ended.
    """

    def __init__(self, engine: Engine, marks: Marks, before: Mapping[str, Part], after: Mapping[str, Part]) -> None:
        self._engine = engine
        self._marks = marks
        self._before = before
        self._after = after
        self._running = threading.Lock()

    def run(self) -> None:
        """Sweep once; where another sweep runs, here or in another process, do nothing.

        Raises:
            RegistryError: the database could not be reached.
        """
        if not self._running.acquire(blocking=False):
            log.info("sweep.skipped")
            return
        try:
            with turn(self._engine, Turn.SWEEP) as alone:
                if alone:
                    self._sweep()
        finally:
            self._running.release()

    def _sweep(self) -> None:
        for name, part in self._before.items():
            _run(name, part)
        if _run("mark", self._marks.passed):
            for name, part in self._after.items():
                _run(name, part)


def _run(name: str, part: Part) -> object:
    try:
        return part()
    except StarAIError as error:
        log.warning("sweep.failed", extra={"part": name, "reason": str(error)})
    except Exception:
        log.exception("sweep.crashed", extra={"part": name})
    return None
