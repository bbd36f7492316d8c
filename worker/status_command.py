"""The command `starai-worker status`."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from worker.control import Control
from worker.enrolment import Enrolment, enrolment_file, load_enrolment
from worker.options import enrolment_option, json_option
from worker.standing_question import Asked, ask_standing
from worker.status import Status
from worker.status_table import standing_table, status_table

# Of output that no terminal shows: rows are not broken, so that they can be searched by line.
_WIDE = 10_000


@click.command()
@json_option
@enrolment_option
def status(as_json: bool, enrolment: Path | None) -> None:
    """Show what the device on this machine does, and how it stands with its network.

    Why it is paused and until when; how far the network trusts it, what follows from that, and every event behind it,
    the newest first. Where the network does not answer within 5 seconds, a line on standard error says so, and the
    rest is shown all the same.

    Exits with 0 whether the device runs or not, and with 1 when this machine has joined no network.
    """
    control = Control(enrolment or enrolment_file())
    joined = load_enrolment(control.enrolment)
    # In this order: one that ended in between has said so in what is read afterwards.
    runs = control.runs()
    found = control.status() if runs else None
    asked = ask_standing(joined)
    if as_json:
        click.echo(json.dumps(as_data(joined, found, asked, runs=runs), indent=2))
    else:
        _print(joined, found, asked)


def as_data(enrolment: Enrolment, found: Status | None, asked: Asked, *, runs: bool) -> dict[str, Any]:
    """Return what ``--json`` prints: keys that stay; times are ISO 8601, in UTC."""
    return {
        "device": enrolment.device,
        "region": enrolment.region,
        "running": runs,
        "status": found.model_dump(mode="json") if found else None,
        "standing": asked.standing.model_dump(mode="json") if asked.standing else None,
        "problem": asked.problem,
    }


def _print(enrolment: Enrolment, found: Status | None, asked: Asked) -> None:
    width = None if sys.stdout.isatty() else _WIDE
    # What devices and owners call themselves is no markup.
    console = Console(markup=False, highlight=False, emoji=False, width=width)
    console.print(status_table(enrolment, found))
    if asked.standing:
        console.print(standing_table(asked.standing))
    if asked.problem:
        click.echo(asked.problem, err=True)
