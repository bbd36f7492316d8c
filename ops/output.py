"""What the operator's commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.table import Table
from sqlmodel import SQLModel

# Of output that no terminal shows: rows are not broken, so that they can be searched by line.
_WIDE = 10_000

#: Adds ``--json`` to a command, as ``as_json``.
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output, and nothing else."
)


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON document; times are ISO 8601, in UTC."""
    click.echo(json.dumps(data, indent=2, default=_as_text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows under their columns' names, or what to say when there are none."""
    table = Table()
    for position, column in enumerate(columns):
        table.add_column(column, no_wrap=position == 0)
    for row in rows:
        table.add_row(*map(printable, row))
    if table.row_count:
        print_rich(table)
    else:
        click.echo(empty)


def print_rich(shown: RenderableType) -> None:
    """Print a table, or several things, as they are: what devices and owners call themselves is no markup."""
    _console().print(shown)


def output_width() -> int:
    """Return how many columns there are for what is printed: of no terminal as many as anything needs."""
    return _console().width


def _console() -> Console:
    width = None if sys.stdout.isatty() else _WIDE
    return Console(markup=False, highlight=False, emoji=False, width=width)


def columns_of(row: SQLModel, *but: str) -> dict[str, Any]:
    """Return a row's columns but for some, in their order; ``model_dump`` with a choice has them in any order."""
    return {name: getattr(row, name) for name in type(row).model_fields if name not in but}


def printable(text: str) -> str:
    """Return a stranger's text without what a terminal would obey; lines stay lines."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def moment(at: datetime) -> str:
    """Return a time as a person reads it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
