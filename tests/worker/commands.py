"""The command `starai-worker`, in this process."""

from click.testing import CliRunner

from worker.cli import main


def command(*arguments):
    """Run it with these arguments, and return its exit code and output."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])
