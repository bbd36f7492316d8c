"""`starai usage`: what the devices of whom did, with which model, on which day."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple
from datetime import date, datetime
from typing import Any

import click
from rich.table import Table
from sqlmodel import Session

from broker_config.names import wire_name
from ops.access import open_registry
from ops.known import check_known
from ops.output import json_option, print_json, print_rich, printable
from registry.database import session
from registry.deployments import hosted_models
from registry.devices import enrolled_devices
from registry.overview import all_owners
from registry.usage import By, Selection, UsageOverview, Work, models_used, total_usage, usage

_DAY = "%Y-%m-%d"
_FIGURES = ("tasks", "failed", "items", "tokens (claimed)", "compute s", "bytes in", "bytes out")
_EMPTY = "There is no usage yet: the recorder writes it as tasks end."
_NONE_SELECTED = "There is no usage of that kind."
# With these a cell is a formula to a spreadsheet. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _day(context: click.Context, parameter: click.Parameter, value: datetime | None) -> date | None:  # noqa: ARG001
    return value.date() if value else None


@click.command("usage")
@click.option(
    "--by",
    multiple=True,
    type=click.Choice([str(by) for by in By]),
    help="Tell apart by this alone; may be given several times.  [default: day, owner, device and model]",
)
@click.option("--owner", help="Only of this owner's devices.")
@click.option("--device", help="Only of this device.")
@click.option("--model", help="Only of this model.")
@click.option(
    "--since", type=click.DateTime([_DAY]), metavar="YYYY-MM-DD", callback=_day, help="Only from this day on (UTC)."
)
@click.option(
    "--until",
    type=click.DateTime([_DAY]),
    metavar="YYYY-MM-DD",
    callback=_day,
    help="Only up to this day, and with it (UTC).",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True, help="How."
)
@json_option
def show_usage(by: tuple[str, ...], form: str, as_json: bool, **selected: Any) -> None:
    """Show what was done: tasks, texts, tokens, compute time, bytes.

    A day is of the owner that the device had then. Compute time is from a task's start to its answer as the platform
    saw them. Tokens are what a device claims; nobody else can count them.
    """
    selection, places = Selection(**selected), [By(name) for name in by] or list(By)
    if selection.since and selection.until and selection.since > selection.until:
        raise click.UsageError(f"--since {selection.since} is after --until {selection.until}.")
    with open_registry() as engine, session(engine) as registry:
        _check(registry, selection)
        found, total = usage(registry, selection, places), total_usage(registry, selection)
    if as_json or form == "json":
        print_json({"usage": [_data(row) for row in found], "total": asdict(total)})
    elif form == "csv":
        click.echo(_csv(places, found), nl=False)
    elif found:
        print_rich(_table(found, total))
    else:
        click.echo(_NONE_SELECTED if selection != Selection() else _EMPTY)


def _check(registry: Session, selection: Selection) -> None:
    if selection.owner is not None:
        owners = [owner.name for owner in all_owners(registry)]
        check_known("owner", selection.owner, owners, "`starai owners list` lists them.")
    if selection.device is not None:
        devices = [device.id for device in enrolled_devices(registry)]
        check_known("device", selection.device, devices, "`starai devices` lists them.")
    if selection.model is not None:
        known = {*map(wire_name, hosted_models(registry)), *models_used(registry)}
        check_known("model", wire_name(selection.model), known, "`starai usage --by model` lists those used.")


def _data(row: UsageOverview) -> dict[str, Any]:
    return {str(by): place for by, place in row.place.items()} | asdict(row.work)


def _csv(places: Iterable[By], rows: Iterable[UsageOverview]) -> str:
    """Return the rows as CSV. What somebody chose as a name is no formula to a spreadsheet that opens it."""
    text = io.StringIO()
    columns = [*(str(place) for place in By if place in places), *Work.__dataclass_fields__]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([*map(_plain, row.place.values()), *_rounded(row.work)] for row in rows)
    return text.getvalue()


def _plain(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA) else name


def _rounded(work: Work) -> list[int | float]:
    return [round(figure, 3) if isinstance(figure, float) else figure for figure in astuple(work)]


def _table(rows: Sequence[UsageOverview], total: Work) -> Table:
    table = Table(show_footer=True)
    for position, place in enumerate(rows[0].place):
        table.add_column(str(place), footer="" if position else "total")
    for name, sum_ in zip(_FIGURES, _texts(total), strict=True):
        table.add_column(name, footer=sum_, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*map(printable, row.place.values()), *_texts(row.work))
    return table


def _texts(work: Work) -> list[str]:
    return [f"{figure:,.1f}" if isinstance(figure, float) else f"{figure:,}" for figure in astuple(work)]
