"""Gets batches of entries into the database whatever stands in the way: an outage is waited out, what can never be
recorded is set aside.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from broker_config.pause import pause
from registry.ledger import record, refresh_statistics
from registry.ledger_changes import Changes
from registry.ledger_entries import Entry
from starai.errors import RegistryError
from tasks.inference import LEASE

log = logging.getLogger(__name__)


# Tasks after which the database looks at its tables for the first time.
_FIRST_LOOK = 200


class Stopped(Exception):
    """The writer was told to stop before the database had everything."""


class LedgerWriter:
    """Writes to one database.

    Args:
        engine: the registry's.
        stopping: ends the wait for a database that is out.
        kinds: of models by their wire names.
    """

    def __init__(self, engine: Engine, stopping: threading.Event, kinds: Mapping[str, str]) -> None:
        self._engine = engine
        self._kinds = kinds
        self._stopping = stopping
        self._added, self._looked = 0, _FIRST_LOOK

    def write(self, entries: Sequence[Entry]) -> list[Changes]:
        """Record the entries and return what changed, in as few transactions as can be.

        Raises:
            Stopped: the database is out, and it was not to be waited for any longer.
        """
        if not entries:
            return []
        try:
            changes = self._persist(entries)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one entry is the cause of, the others are not to wait for it
            if len(entries) == 1:
                extra = {"kind": type(entries[0]).__name__, "reason": f"{type(error).__name__}: {error}"[:300]}
                log.error("ledger.unrecordable", extra=extra)
                return []
        else:
            self._refresh(len(changes.new_tasks))
            return [changes]
        half = len(entries) // 2
        return self.write(entries[:half]) + self.write(entries[half:])

    def _refresh(self, added: int) -> None:
        """Have the database look at its tables whenever they have doubled."""
        self._added += added
        if self._added < self._looked:
            return
        self._looked = 2 * self._added
        try:
            refresh_statistics(self._engine)
        except RegistryError as error:  # it will look by itself, later
            log.warning("ledger.not_analysed", extra={"reason": str(error)})

    def _persist(self, entries: Sequence[Entry]) -> Changes:
        """Record the entries as soon as the database can."""
        attempt, since = 0, time.monotonic()
        while True:
            try:
                changes = record(self._engine, entries, LEASE, self._kinds)
            except RegistryError as error:
                if not _is_outage(error):
                    raise
                if not attempt:
                    log.error("ledger.database_out", extra={"reason": str(error)})
                attempt += 1
                if self._stopping.wait(pause(attempt)):
                    raise Stopped from error
            else:
                if attempt:
                    log.info("ledger.database_back", extra={"seconds": round(time.monotonic() - since, 1)})
                return changes


def _is_outage(error: RegistryError) -> bool:
    """Tell whether the database could not do anything then, and not only not this."""
    cause = error.__cause__
    is_refusal = isinstance(cause, StatementError) and not isinstance(cause, DBAPIError)
    return not is_refusal and not isinstance(cause, DataError | IntegrityError)
