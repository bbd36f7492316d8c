"""The commands `starai-worker pause` and `resume`."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from worker.control import Control, utc_now
from worker.enrolment import enrolment_file, load_enrolment
from worker.moment import local_moment
from worker.options import duration, enrolment_option
from worker.status import BY_OWNER, Status
from worker.wishes import PauseWish

# Seconds for a device that runs to do what was wished; it looks twice a second.
_DONE_WITHIN = 5.0
_POLL = 0.1


@click.command()
@click.option(
    "--for", "lasting", type=duration, metavar="DURATION", help="For so long: 30m, 2h, 1d.  [default: until resume]"
)
@enrolment_option
def pause(lasting: timedelta | None, enrolment: Path | None) -> None:
    """Take no tasks for a while; those that run end.

    The device stays connected and keeps its models in memory; `starai-worker exit` frees that. If no device runs, the
    next one that is started is paused.
    """
    control = _control(enrolment)
    until = utc_now() + lasting if lasting else None
    control.change_wishes(lambda wishes: wishes.model_copy(update={"pause": PauseWish(until=until)}))
    how_long = f"until {local_moment(until)}" if until else "until `starai-worker resume`"
    if not control.runs():
        click.echo(f"No device runs here. The next one that is started is paused {how_long}.")
        return
    status = _wait(control, lambda status: status.paused == BY_OWNER.model_copy(update={"until": until}))
    if status is None:
        raise click.ClickException("The device does not answer. Its log says what is wrong.")
    running = f" Tasks that run, and end first: {status.running}." if status.running else ""
    click.echo(f"The device is paused {how_long}.{running}")


@click.command()
@enrolment_option
def resume(enrolment: Path | None) -> None:
    """Take tasks again after `pause`. What the preferences say still holds."""
    control = _control(enrolment)
    control.change_wishes(lambda wishes: wishes.model_copy(update={"pause": None}))
    if not control.runs():
        click.echo("No device runs here. The next one that is started is not paused.")
        return
    status = _wait(control, lambda status: status.paused is None or not status.paused.wished)
    if status is None:
        raise click.ClickException("The device does not answer. Its log says what is wrong.")
    if status.paused:
        click.echo(f"The device stays paused by your preferences: {status.paused.why}.")
    else:
        click.echo("The device takes tasks.")


def _control(enrolment: Path | None) -> Control:
    file = enrolment or enrolment_file()
    load_enrolment(file)  # a mistyped file is not to be taken for a device that does not run
    return Control(file)


def _wait(control: Control, is_done: Callable[[Status], bool]) -> Status | None:
    until = time.monotonic() + _DONE_WITHIN
    while time.monotonic() < until:
        status = control.status()
        if status is not None and is_done(status):
            return status
        time.sleep(_POLL)
    return None
