"""The commands `starai-worker service`: the device in the background."""

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from broker_config.home import home
from starai.errors import DeviceRuns
from worker.control import Control
from worker.enrolment import enrolment_file, load_enrolment
from worker.exit_command import as_sentence, end_device
from worker.options import enrolment_option
from worker.run import GRACE
from worker.service_files import Service
from worker.service_manager import executable, manager

# What says where things are; passwords are in no variable of these.
_VARIABLES = ("STARAI_HOME", "STARAI_BROKER_CA")


@click.group()
def service() -> None:
    """Run the device in the background, from your login on: by systemd, launchd, or Windows' Task Scheduler.

    A device that fails is started again, after half a minute, five times in ten minutes at most (launchd: without a
    limit). One that was told to end by `starai-worker exit` is not, until the next login.
    """


@service.command()
@enrolment_option
@click.option("--grace", type=click.FloatRange(0), default=GRACE, show_default=True, help="Seconds for running tasks.")
def install(enrolment: Path | None, grace: float) -> None:
    """Install the device as a service of yours, and start it. Installing again replaces it."""
    file = (enrolment or enrolment_file()).absolute()
    load_enrolment(file)
    made = Service(
        executable=executable(Path(sys.executable).absolute().parent),
        enrolment=file,
        grace=grace,
        log=home() / "worker.log",
        environment={name: os.environ[name] for name in _VARIABLES if os.environ.get(name)},
    )
    hint = manager().install(made)
    click.echo(f"The device runs as a service. {hint}")


@service.command()
@enrolment_option
def remove(enrolment: Path | None) -> None:
    """End the device that runs as a service, and remove the service. The device stays enrolled."""
    background = manager()
    if background.status() is None:
        click.echo("No service is installed.")
        return
    control = Control(enrolment or enrolment_file())
    try:
        click.echo(as_sentence(end_device(control, None, Console(stderr=True, markup=False, highlight=False))))
    except DeviceRuns as error:  # the system ends it
        click.echo(str(error), err=True)
    background.remove()
    click.echo("The service is removed.")


@service.command()
def status() -> None:
    """Show whether the service is installed, and what the system says of it. `starai-worker status` says the rest."""
    click.echo(manager().status() or "No service is installed. Install it: starai-worker service install")
