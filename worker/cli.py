"""The command `starai-worker`: what an owner does with their device."""

from typing import Any

import click

from broker_config.errors import StarAIError
from worker.evaluate import evaluate
from worker.exit_command import exit_device
from worker.join_command import join
from worker.pause_command import pause, resume
from worker.rotate import rotate_keys
from worker.service_command import service
from worker.start_command import start
from worker.status_command import status


class _Commands(click.Group):
    """Commands whose errors, where they are ours, are one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except StarAIError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="starai")
def main() -> None:
    """Lend this machine to a StarAI network: measure it, host models, serve tasks.

    Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


for command in (evaluate, join, start, status, pause, resume, exit_device, service, rotate_keys):
    main.add_command(command)


if __name__ == "__main__":
    main()
