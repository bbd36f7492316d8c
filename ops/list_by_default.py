"""Groups of commands of which ``list`` is meant where none is named."""

import click


class ListByDefault(click.Group):
    """Commands of which ``list`` is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, ``list`` added in front where they begin with none of the commands."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)
