"""Many rows of one table at once, as fast as SQLite and PostgreSQL each can; through SQLAlchemy's own statements each
row costs several times as much.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect, Select, Subquery, Table, and_, column, select, text
from sqlalchemy.exc import DBAPIError

_Convert = Callable[[Any], Any]


def insert(connection: Connection, table: Table, rows: Sequence[object], columns: Sequence[str]) -> None:
    """Insert rows, objects with the columns' names as attributes.

    Raises:
        IntegrityError: one of them is there already.
    """
    if not rows:
        return
    values = _values(connection.dialect, table, tuple(columns), rows)
    if connection.dialect.name == "postgresql":
        _copy(connection, table.name, columns, values)
    else:
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - ours
        connection.exec_driver_sql(statement, list(values))


def update(connection: Connection, table: Table, rows: Sequence[object], columns: Sequence[str]) -> None:
    """Write all these columns of rows that are there, found by their primary key, which is among the columns."""
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    rest = [name for name in columns if name not in key]
    values = _values(connection.dialect, table, (*rest, *key), rows)
    if connection.dialect.name == "postgresql":
        _update_staged(connection, table.name, rest, key, values)
    else:
        changes, found = (", ".join(f"{name} = ?" for name in rest)), (" AND ".join(f"{name} = ?" for name in key))
        connection.exec_driver_sql(f"UPDATE {table.name} SET {changes} WHERE {found}", list(values))  # noqa: S608 - ours


def delete(connection: Connection, table: Table, keys: Sequence[tuple[str, str]]) -> None:
    """Delete rows by their primary key of two texts."""
    if not keys:
        return
    first, second = (column.name for column in table.primary_key)
    if connection.dialect.name == "postgresql":
        statement = text(
            f"DELETE FROM {table.name} USING unnest(CAST(:first AS text[]), CAST(:second AS text[])) AS k(a, b) "  # noqa: S608
            f"WHERE {first} = k.a AND {second} = k.b"
        )
        connection.execute(statement, {"first": [a for a, _ in keys], "second": [b for _, b in keys]})
    else:
        statement_ = f"DELETE FROM {table.name} WHERE {first} = ? AND {second} = ?"  # noqa: S608 - ours
        connection.exec_driver_sql(statement_, list(keys))


def selected(
    connection: Connection, table: Table, keys: Iterable[tuple[str, str]], columns: Sequence[str]
) -> Iterator[Any]:
    """Return rows by the first two columns of their primary key, locked until the transaction ends."""
    wanted, parameters = _keys(connection.dialect, keys)
    first, second = list(table.primary_key)[:2]
    statement: Select[Any] = (
        select(*(table.c[name] for name in columns))
        .join_from(wanted, table, and_(first == wanted.c.a, second == wanted.c.b))
        .with_for_update(of=table)
    )
    return iter(connection.execute(statement, parameters))


def _keys(dialect: Dialect, keys: Iterable[tuple[str, str]]) -> tuple[Subquery, dict[str, Any]]:
    pairs = list(keys)
    if dialect.name == "postgresql":
        source = "SELECT a, b FROM unnest(CAST(:first AS text[]), CAST(:second AS text[])) AS given(a, b)"
        parameters: dict[str, Any] = {"first": [a for a, _ in pairs], "second": [b for _, b in pairs]}
    else:  # one parameter, however many keys
        source = "SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b FROM json_each(:pairs)"
        parameters = {"pairs": json.dumps(pairs)}
    return text(source).columns(column("a"), column("b")).subquery("wanted"), parameters


def _copy(connection: Connection, table: str, columns: Sequence[str], values: Iterable[tuple[Any, ...]]) -> None:
    cursor: psycopg.Cursor[Any] = connection.connection.cursor()  # type: ignore[assignment]
    with _translated(), cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def _update_staged(
    connection: Connection, table: str, rest: Sequence[str], key: Sequence[str], values: Iterable[tuple[Any, ...]]
) -> None:
    staged = f"staged_{table}"
    # Without the table's constraints: columns that are not written stay empty here.
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} ON COMMIT DELETE ROWS AS SELECT * FROM {table} WITH NO DATA"  # noqa: S608 - ours
    )
    _copy(connection, staged, (*rest, *key), values)
    changes = ", ".join(f"{name} = {staged}.{name}" for name in rest)
    found = " AND ".join(f"{table}.{name} = {staged}.{name}" for name in key)
    connection.exec_driver_sql(f"UPDATE {table} SET {changes} FROM {staged} WHERE {found}")  # noqa: S608 - ours


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise SQLAlchemy's errors for the driver's own, which it is used directly for COPY alone."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance("COPY", None, error, psycopg.Error, hide_parameters=True) from error


def _values(
    dialect: Dialect, table: Table, columns: tuple[str, ...], rows: Iterable[object]
) -> Iterator[tuple[Any, ...]]:
    """Return the rows' values as the driver takes them."""
    converted = _converters(dialect, table, columns)
    for values in map(attrgetter(*columns), rows):
        listed = list(values)
        for position, convert in converted:
            listed[position] = convert(listed[position])
        yield tuple(listed)


@cache
def _converters(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> tuple[tuple[int, _Convert], ...]:
    types = [table.c[name].type.dialect_impl(dialect) for name in columns]
    converters = [kind.bind_processor(dialect) for kind in types]
    return tuple((position, convert) for position, convert in enumerate(converters) if convert)
