"""The command `starai-worker`: what an owner does with their device."""

import click

from worker.commands import Commands
from worker.evaluate import evaluate
from worker.exit_command import exit_device
from worker.join_command import join
from worker.models_command import models
from worker.pause_command import pause, resume
from worker.rotate import rotate_keys
from worker.service_command import service
from worker.start_command import start
from worker.status_command import status


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="starai")
def main() -> None:
    """Lend this machine to a StarAI network: measure it, host models, serve tasks.

    Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


for command in (evaluate, join, models, start, status, pause, resume, exit_device, service, rotate_keys):
    main.add_command(command)


if __name__ == "__main__":
    main()
