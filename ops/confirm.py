"""Asks before what cannot be undone."""

from collections.abc import Callable
from typing import Any

import click

#: Adds ``--yes`` to a command, as ``yes``.
yes_option: Callable[[Any], Any] = click.option("--yes", is_flag=True, help="Do it without asking.")


def confirm(question: str, yes: bool) -> None:
    """Ask on standard error, unless ``yes`` was said already.

    Raises:
        click.ClickException: the answer was no, or nobody could answer.
    """
    try:
        agreed = yes or click.confirm(question, err=True)
    except click.Abort:  # standard input has ended
        click.echo(err=True)
        raise click.ClickException("Nobody answered, so nothing was done. Use --yes where no one can.") from None
    if not agreed:
        raise click.ClickException("Nothing was done.")
