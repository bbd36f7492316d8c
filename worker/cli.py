"""The command `starai-worker`: what an owner does with their device."""

import logging
from pathlib import Path

import click

from broker_config.errors import StarAIError
from broker_config.logs import log_to_stderr
from worker.enrolment import enrolment_file, load_enrolment
from worker.evaluate import evaluate
from worker.join_command import join
from worker.rotate import rotate_keys
from worker.run import GRACE, run_device


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="starai")
def main() -> None:
    """Lend this machine to a StarAI network: measure it, host models, serve tasks."""


@main.command()
@click.option(
    "--enrolment",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that enrolment wrote.  [default: enrolment.json in STARAI_HOME]",
)
@click.option("--grace", type=click.FloatRange(0), default=GRACE, show_default=True, help="Seconds for running tasks.")
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
def start(enrolment: Path | None, grace: float, lifeline: bool, verbose: bool) -> None:
    """Host the enrolled models and serve tasks, until Ctrl-C or SIGTERM.

    The first one lets running tasks end and hands back the rest; the second one stops at once.
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    try:
        run_device(load_enrolment(enrolment or enrolment_file()), grace=grace, lifeline=lifeline)
    except StarAIError as error:
        raise click.ClickException(str(error)) from error


main.add_command(evaluate)
main.add_command(join)
main.add_command(rotate_keys)


if __name__ == "__main__":
    main()
