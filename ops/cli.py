"""The command `starai`: run a network, operate it, submit to it."""

import click

from ops.blacklist import blacklist
from ops.broker import broker
from ops.demo import demo
from ops.devices import devices
from ops.flower.command import show_flower
from ops.health import show_health
from ops.jobs import jobs
from ops.owners import owners
from ops.phone.command import serve_page
from ops.record import record
from ops.serve.command import serve
from ops.submit import submit
from ops.submitters import submitters
from ops.tokens import tokens
from ops.up import up
from ops.usage import show_usage
from worker.commands import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="starai")
def main() -> None:
    """Run a StarAI network on this machine, operate it, submit to it.

    Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


for command in (
    up,
    submit,
    jobs,
    owners,
    tokens,
    submitters,
    devices,
    blacklist,
    show_health,
    show_usage,
    show_flower,
    serve,
    serve_page,
    broker,
    record,
    demo,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
