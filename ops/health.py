"""`starai health`: how the devices are, what of them needs attention, and whether the platform looks after them."""

import sys
import time

import click
from rich.console import Console
from rich.live import Live
from sqlalchemy import Engine

from ops.access import open_registry
from ops.health_look import HealthLook, look
from ops.health_report import report, report_data
from ops.output import json_option, print_json, print_rich

_CYCLES = 10
_REFRESH_SECONDS = 2.0


@click.command("health")
@click.option("--all", "every", is_flag=True, help="All devices, also those that are well.")
@click.option(
    "--cycles",
    type=click.IntRange(1, 10_000),
    is_flag=False,
    flag_value=_CYCLES,
    metavar="[N]",
    help=f"The last N cycles as well.  [default: {_CYCLES}]",
)
@click.option("--watch", is_flag=True, help="Look again every 2 s, until Ctrl-C; on a terminal.")
@click.option("--check", is_flag=True, help="Exit with 1 when something is wrong, for scripts and monitoring.")
@json_option
def show_health(every: bool, cycles: int | None, watch: bool, check: bool, as_json: bool) -> None:
    """Show how the network is: the last health cycle, and the devices that need attention, the worst first.

    It reads the registry alone, and works while no broker runs.
    """
    if watch and (check or as_json):
        raise click.UsageError("--watch is for people: leave --check and --json out.")
    if watch and not sys.stdout.isatty():
        raise click.UsageError("--watch needs a terminal; without one, run `starai health` again and again.")
    with open_registry() as engine:
        if watch:
            _watch(engine, every, cycles)
            return
        found = look(engine, cycles or _CYCLES)
    if as_json:
        print_json(report_data(found))
    else:
        print_rich(report(found, every=every, cycles=cycles is not None))
    raise SystemExit(1 if check and not found.all_well else 0)


def _watch(engine: Engine, every: bool, cycles: int | None) -> None:
    def seen() -> HealthLook:
        return look(engine, cycles or _CYCLES)

    console = Console(markup=False, highlight=False, emoji=False)
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(report(seen(), every=every, cycles=cycles is not None), refresh=True)
                time.sleep(_REFRESH_SECONDS)
    except KeyboardInterrupt:
        return
