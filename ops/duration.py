"""Durations as options of a command."""

from datetime import timedelta

import click

from broker_config import duration
from broker_config.errors import SettingError


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text names: minutes, hours or days, from a minute to a year.

    Raises:
        click.BadParameter: it names none.
    """
    try:
        return duration.parse_duration(text)
    except SettingError as error:
        raise click.BadParameter(str(error)) from error
