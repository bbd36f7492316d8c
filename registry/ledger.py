"""The ledger: writes batches of entries into its tables, each in one transaction, on SQLite and PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Engine, Table, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from broker_config.names import wire_name
from registry.bulk import delete, insert, selected, update
from registry.database import session
from registry.ledger_changes import Changes, Known
from registry.ledger_entries import Entry, Reported, Submitted
from registry.ledger_fold import fold
from registry.ledger_rows import AttemptRow, InputRow, ResultRow, TaskRow, UsageKey, Used
from registry.tables import Deployment, Device
from registry.task_tables import Attempt, DeadLetter, LedgerMark, Task, TaskInput, TaskResult, Usage
from starai.errors import RegistryError

# Others may add the very rows that are about to be added; when they have, those are found.
_TRIES = 3


def record(engine: Engine, entries: Sequence[Entry], lease: float, kinds: Mapping[str, str] | None = None) -> Changes:
    """Write a batch of entries down, all or nothing, and return what that changed.

    Args:
        engine: the registry's.
        entries: in the order in which they came.
        lease: seconds that a task may run on one device, where its submitter asked for no other time.
        kinds: of models by their wire names, as far as they are known.

    Raises:
        RegistryError: the database refused, or could not be reached.
    """
    for left in reversed(range(_TRIES)):
        try:
            with session(engine) as opened:
                return _record(opened.connection(), entries, lease, kinds or {})
        except RegistryError as error:
            if not left or not isinstance(error.__cause__, IntegrityError):
                raise
    raise AssertionError("not reached")


def make_durable(engine: Engine) -> None:
    """Let each transaction be on the disk when it has ended, because the broker then forgets what was in it.

    SQLite is told so; PostgreSQL does it unless it is told otherwise.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = FULL"))


def refresh_statistics(engine: Engine) -> None:
    """Let PostgreSQL see what the ledger's tables have become; by itself it looks once a minute.

    Without, it takes a submitter's tasks for few, and reads all of them to find each one.

    Raises:
        RegistryError: the database refused, or could not be reached.
    """
    if engine.dialect.name == "postgresql":
        with session(engine) as opened:
            opened.connection().exec_driver_sql("ANALYZE tasks, attempts, task_inputs")


def _record(connection: Connection, entries: Sequence[Entry], lease: float, kinds: Mapping[str, str]) -> Changes:
    changes = fold(_known(connection, entries), entries, lease, kinds)
    _write(connection, changes)
    return changes


def _known(connection: Connection, entries: Iterable[Entry]) -> Known:
    of_tasks = [entry for entry in entries if isinstance(entry, Submitted | Reported)]
    keys = dict.fromkeys((entry.submitter, entry.task) for entry in of_tasks)
    devices = {entry.device for entry in of_tasks if isinstance(entry, Reported) and entry.device}
    known = Known(hosts=_hosts(connection, devices), owners=_owners(connection, devices))
    if keys:
        for row in selected(connection, _TASKS, keys, _TASK):
            known.tasks[row[0], row[1]] = TaskRow(*row)
        for row in selected(connection, _ATTEMPTS, keys, _ATTEMPT):
            known.attempts.setdefault((row[0], row[1]), {})[row[2]] = AttemptRow(*row)
    return known


def _hosts(connection: Connection, devices: set[str]) -> set[tuple[str, str]]:
    found = select(_DEPLOYMENTS.c.device_id, _DEPLOYMENTS.c.model).where(_DEPLOYMENTS.c.device_id.in_(devices))
    return {(device, wire_name(model)) for device, model in connection.execute(found)} if devices else set()


def _owners(connection: Connection, devices: set[str]) -> dict[str, int]:
    found = select(_DEVICES.c.id, _DEVICES.c.owner_id).where(_DEVICES.c.id.in_(devices))
    return {row.id: row.owner_id for row in connection.execute(found)} if devices else {}


def _write(connection: Connection, changes: Changes) -> None:
    insert(connection, _TASKS, changes.new_tasks, _TASK)
    update(connection, _TASKS, changes.changed_tasks, _TASK)
    insert(connection, _ATTEMPTS, changes.new_attempts, _ATTEMPT)
    update(connection, _ATTEMPTS, changes.changed_attempts, _ATTEMPT)
    insert(connection, _INPUTS, changes.inputs, _INPUT)
    delete(connection, _INPUTS, changes.spent_inputs)
    insert(connection, _RESULTS, changes.results, _RESULT)
    _add_usage(connection, changes.usage)
    _insert_new(connection, _MARKS, [asdict(mark) for mark in changes.marks])
    _insert_new(connection, _DEAD_LETTERS, [asdict(letter) for letter in changes.dead_letters])


def _add_usage(connection: Connection, usage: dict[UsageKey, Used]) -> None:
    if not usage:
        return
    added = _insert(connection, _USAGE)
    names = [field.name for field in fields(Used)]
    sums = {name: _USAGE.c[name] + added.excluded[name] for name in names}
    statement = added.on_conflict_do_update(index_elements=list(_USAGE.primary_key), set_=sums)
    # In one order, so that two who write at once wait for each other instead of for ever.
    rows = [
        {"day": day, "owner_id": owner, "device": device, "model": model} | asdict(used)
        for (day, owner, device, model), used in sorted(usage.items())
    ]
    connection.execute(statement, rows)


def _insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows but those that are there."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


_TASKS, _ATTEMPTS, _INPUTS, _RESULTS = map(_table, (Task, Attempt, TaskInput, TaskResult))
_USAGE, _MARKS, _DEAD_LETTERS = map(_table, (Usage, LedgerMark, DeadLetter))
_DEPLOYMENTS, _DEVICES = map(_table, (Deployment, Device))
_TASK, _ATTEMPT, _INPUT, _RESULT = (
    tuple(field.name for field in fields(row)) for row in (TaskRow, AttemptRow, InputRow, ResultRow)
)
