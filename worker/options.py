"""What several of an owner's commands take."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from broker_config.duration import parse_duration
from broker_config.errors import SettingError
from worker.hours import Hours, parse_hours

#: Adds ``--enrolment`` to a command.
enrolment_option: Callable[[Any], Any] = click.option(
    "--enrolment",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that enrolment wrote.  [default: enrolment.json in STARAI_HOME]",
)
#: Adds ``--json`` to a command, as ``as_json``.
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and nothing else."
)
#: Adds ``--disk`` to a command: GB, 10^9 bytes.
disk_option: Callable[[Any], Any] = click.option(
    "--disk",
    type=click.FloatRange(0, 1e6, min_open=True),
    metavar="GB",
    help="What all models may take of the disk.  [default: as preferences.toml says, else half of what is free]",
)


def duration(text: str) -> timedelta:
    """Return the duration that an option names.

    Raises:
        click.BadParameter: it names none.
    """
    try:
        return parse_duration(text)
    except SettingError as error:
        raise click.BadParameter(str(error)) from error


def hours(text: str) -> Hours:
    """Return the hours of the day that an option names.

    Raises:
        click.BadParameter: it names none.
    """
    try:
        return parse_hours(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error
