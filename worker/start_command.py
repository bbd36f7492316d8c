"""The command `starai-worker start`: the device, in the foreground."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from broker_config.logs import log_to_stderr
from worker.control import Control
from worker.enrolment import enrolment_file, load_enrolment
from worker.options import disk_option, duration, enrolment_option, hours
from worker.preferences_file import PreferencesFile
from worker.run import GRACE, run_device

_TEMPERATURE = click.FloatRange(30, 120)


def _preference_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each preference that a running device has, each over what the file says."""
    options = (
        click.option("--threads", type=click.IntRange(1, 8192), help="Threads that all models may use together."),
        disk_option,
        click.option("--not-on-battery/--on-battery", default=None, help="Pause on battery, or do not."),
        click.option(
            "--only-when-idle-for", type=duration, metavar="DURATION", help="Pause until nobody touched it: 10m, 1h."
        ),
        click.option(
            "--hours",
            type=hours,
            multiple=True,
            metavar="HH:MM-HH:MM",
            help="Serve in these hours; several may be given.",
        ),
        click.option(
            "--cpu-limit",
            type=click.FloatRange(0, 100, min_open=True),
            metavar="PERCENT",
            help="Pause while other programs use more of the processors; 100: never.",
        ),
        click.option("--processor-temperature-limit", type=_TEMPERATURE, metavar="CELSIUS", help="Pause above it."),
        click.option("--gpu-temperature-limit", type=_TEMPERATURE, metavar="CELSIUS", help="Pause above it."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@enrolment_option
@click.option("--grace", type=click.FloatRange(0), default=GRACE, show_default=True, help="Seconds for running tasks.")
@_preference_options
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
def start(enrolment: Path | None, grace: float, lifeline: bool, verbose: bool, **flags: Any) -> None:
    """Host the enrolled models and serve tasks, until Ctrl-C, SIGTERM or `starai-worker exit`.

    The first one lets running tasks end, hands back the rest and says goodbye; the second one stops within a second.
    What is not said here is as the file preferences.toml beside the enrolment says, which is read again when it
    changes. A device runs once for each enrolment.

    Exits with 0 when it was told to end, so that a service does not start it again, and with 1 when it failed.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    control = Control(enrolment or enrolment_file())
    joined = load_enrolment(control.enrolment)
    preferences = PreferencesFile(control.preferences_file, flags | {"hours": flags["hours"] or None})
    run_device(joined, grace=grace, lifeline=lifeline, control=control, preferences=preferences)
