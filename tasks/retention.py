"""Lets the registry forget: results, tasks that ended long ago, marks, health cycles, what happened to devices."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine

from registry.columns import now
from registry.database import reading, session
from registry.retention import (
    HistorySettings,
    LedgerSettings,
    bytes_of_results,
    forget_cycles,
    forget_events,
    forget_marks,
    forget_results,
    forget_results_beyond,
    forget_tasks,
)

log = logging.getLogger(__name__)

_GIB = 2**30
_MARKS_KEPT = timedelta(hours=1)
#: How often all results are measured anew; between, only what came and went is added up.
_MEASURED_EVERY = timedelta(hours=1)
#: How often the history of devices is looked through, which all of it has to be for that.
_HISTORY_EVERY = timedelta(hours=1)
# A batch of the recorder's may be written some seconds after its messages came.
_WRITTEN_WITHIN = timedelta(minutes=1)


class Retention:
    """Forgets what is old, in portions, each in a transaction of its own.

    Args:
        engine: the registry's.
        settings: how long what is kept.
        portion: rows of a portion.
        portions: of one kind at a time, at most.
        history: how long what happened to devices is kept.
    """

    def __init__(
        self,
        engine: Engine,
        settings: LedgerSettings | None = None,
        portion: int = 500,
        portions: int = 200,
        history: HistorySettings | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings or LedgerSettings()
        self._history = history or HistorySettings()
        self._portion = portion
        self._portions = portions
        self._bytes = 0
        self._measured: datetime | None = None
        self._counted: datetime | None = None
        self._history_at: datetime | None = None

    def forget(self) -> None:
        """Forget what is old by now.

        Raises:
            RegistryError: the database could not be reached.
        """
        at = now()
        with session(self._engine) as registry:
            forget_marks(registry, at - _MARKS_KEPT)
        self._measure(at)
        self._forget_old_results(at - timedelta(hours=self._settings.ledger_result_hours))
        self._forget_results_beyond(round(self._settings.ledger_result_gib * _GIB))
        self._forget_tasks(at - timedelta(days=self._settings.ledger_task_days))
        if self._history_at is None or at - self._history_at > _HISTORY_EVERY:
            self._history_at = at
            self._forget_history(at)

    def _measure(self, at: datetime) -> None:
        until = at - _WRITTEN_WITHIN
        if self._measured is None or at - self._measured > _MEASURED_EVERY:
            self._bytes, self._counted, self._measured = 0, None, at
        with reading(self._engine) as registry:
            self._bytes += bytes_of_results(registry, self._counted, until)
        self._counted = until

    def _forget_old_results(self, before: datetime) -> None:
        for _ in range(self._portions):
            with session(self._engine) as registry:
                gone = forget_results(registry, before, self._portion)
            self._bytes -= gone
            if not gone:
                return

    def _forget_results_beyond(self, most: int) -> None:
        for _ in range(self._portions):
            if self._bytes <= most:
                return
            with session(self._engine) as registry:
                gone = forget_results_beyond(registry, self._bytes - most, self._portion)
            self._bytes -= gone
            log.info("results.forgotten", extra={"bytes": gone, "most": most})
            if not gone:
                return

    def _forget_tasks(self, before: datetime) -> None:
        for _ in range(self._portions):
            with session(self._engine) as registry:
                gone = forget_tasks(registry, before, self._portion)
            if gone < self._portion:
                return

    def _forget_history(self, at: datetime) -> None:
        with session(self._engine) as registry:
            forget_cycles(registry, at - timedelta(days=self._history.history_cycle_days))
        before = at - timedelta(days=self._history.history_event_days)
        for _ in range(self._portions):
            with session(self._engine) as registry:
                gone = forget_events(registry, before, self._portion)
            if gone < self._portion:
                return
