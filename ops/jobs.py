"""`starai jobs`: the jobs of a submitter, by the network's ledger."""

from datetime import timedelta

import click

from ops.duration import parse_duration
from ops.failed_jobs import failed
from ops.job_table import COLUMNS, row, table
from ops.known import nearest
from ops.list_by_default import ListByDefault
from ops.output import json_option, print_json, print_rich, print_table
from registry.columns import now
from starai.client import Client
from starai.errors import JobUnknown
from starai.request import JobState, JobStatus
from starai.submission import DEADLINE

_EMPTY = "No such jobs. Submit one with `starai submit MODEL TEXT`."


@click.group(cls=ListByDefault)
def jobs() -> None:
    """Jobs: the tasks that you submitted. Without a command, lists them.

    The network is the one that STARAI_BROKER_URL names, else the one that `starai up` runs on this machine; whose jobs
    these are, that address says.
    """


@jobs.command("list")
@click.option(
    "--state",
    type=click.Choice([str(state) for state in JobState]),
    multiple=True,
    help="In this state; several may be given.",
)
@click.option(
    "--since", type=parse_duration, metavar="DURATION", help="Submitted within this time: 30m, 12h, 7d.  [default: all]"
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="The newest so many.")
@json_option
def list_jobs(state: tuple[str, ...], since: timedelta | None, limit: int, as_json: bool) -> None:
    """List your jobs, the newest first."""
    with Client() as client:
        found = client.jobs(state=state, since=now() - since if since else None, limit=limit)
    if as_json:
        print_json({"jobs": [_data(job) for job in found]})
    else:
        print_table(COLUMNS, map(row, found), _EMPTY)


@jobs.command()
@click.argument("job")
@json_option
def show(job: str, as_json: bool) -> None:
    """Show all of JOB: where it is, who worked on it, and what the platform did with it, and why."""
    with Client() as client:
        _print(_status(client, job), as_json)


@jobs.command()
@click.argument("job")
@json_option
def cancel(job: str, as_json: bool) -> None:
    """Cancel JOB: it does not start any more, or stops at its model's next step."""
    with Client() as client:
        _status(client, job)
        _print(client.job(job).cancel(), as_json)


@jobs.command()
@click.argument("job")
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    default=DEADLINE,
    show_default=True,
    help="Seconds from now after which it is not worth doing.",
)
@json_option
def retry(job: str, deadline: float, as_json: bool) -> None:
    """Try JOB again, which failed or expired, under its id."""
    with Client() as client:
        _status(client, job)
        _print(client.job(job).retry(deadline), as_json)


jobs.add_command(failed)


def _status(client: Client, job: str) -> JobStatus:
    """Return a job's status.

    Raises:
        JobUnknown: there is none; the message has the nearest ids.
    """
    try:
        return client.job(job).status()
    except JobUnknown as error:
        known = [found.id for found in client.jobs(limit=1000)]
        raise JobUnknown(f"{error}{nearest(job, known)} `starai jobs` lists them.", job) from error


def _print(status: JobStatus, as_json: bool) -> None:
    if as_json:
        print_json(_data(status))
    else:
        print_rich(table(status))


def _data(status: JobStatus) -> dict[str, object]:
    return status.model_dump(mode="json")
