"""What the commands of owners and operators do with an error of ours."""

from typing import Any

import click

from broker_config.errors import StarAIError


class Commands(click.Group):
    """Commands whose errors, where they are ours, are one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except StarAIError as error:
            raise click.ClickException(str(error)) from error
