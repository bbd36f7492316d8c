"""Reports as tables on the terminal, or as JSON."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench.report import Report, Table
from bench.results import targets_table


def show(console: Console, report: Report) -> None:
    """Print a report."""
    console.rule(report.name)
    for table in (*report.tables, targets_table(report.targets)):
        console.print(_rich(table))


def as_dict(report: Report) -> dict[str, Any]:
    """Return a report for JSON, its targets with their verdicts."""
    targets = [asdict(target) | {"verdict": target.verdict} for target in report.targets]
    return asdict(report) | {"targets": targets}


def _rich(table: Table) -> RichTable:
    rich = RichTable(title=table.title, title_justify="left")
    for position, column in enumerate(table.columns):
        rich.add_column(column, justify="left" if position == 0 else "right")
    for row in table.rows:
        rich.add_row(*row)
    return rich
