"""`starai submit`: one task, from the command line."""

import json
import sys
from typing import Any

import click
import numpy as np

from broker_config.regions import Region
from starai.client import Client
from starai.job import Job
from starai.submission import DEADLINE, LONGEST_LEASE, SHORTEST_LEASE
from starai.wire import State

_SHOWN = 4


@click.command()
@click.argument("model")
@click.argument("texts", nargs=-1)
@click.option(
    "--region",
    type=click.Choice([str(region) for region in Region]),
    help="Where to look for a device first.  [default: STARAI_REGION, else the local network's]",
)
@click.option("--timeout", type=click.FloatRange(0), help="Seconds to wait for the result.  [default: the deadline]")
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    default=DEADLINE,
    show_default=True,
    help="Seconds after which the task is not worth doing.",
)
@click.option(
    "--lease",
    type=click.FloatRange(SHORTEST_LEASE, LONGEST_LEASE),
    help="Seconds that it may run on one device.  [default: the network's]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def submit(
    model: str,
    texts: tuple[str, ...],
    region: str | None,
    timeout: float | None,
    deadline: float,
    lease: float | None,
    as_json: bool,
) -> None:
    """Submit TEXTS to MODEL as one task and print the result. Without TEXTS, each line of standard input is one.

    The network is the one that STARAI_BROKER_URL names, else the one that `starai up` runs on this machine.
    """
    inputs = list(texts) or [line for line in sys.stdin.read().splitlines() if line.strip()]
    with Client(region=region) as client:
        job = client.submit(model, inputs, deadline=deadline, lease=lease)
        vectors = job.result(timeout)
    if as_json:
        click.echo(json.dumps({**_who(job), "vectors": vectors.tolist()}))
        return
    for text, row in zip(inputs, vectors, strict=True):
        click.echo(f"{_numbers(row)}  {text[:60]}")
    who = _who(job)
    click.echo(
        f"{len(inputs)} x {vectors.shape[1]} numbers from {who['device']} ({who['region']}) in {who['ms']} ms", err=True
    )


def _who(job: Job) -> dict[str, Any]:
    answer = next(report for report in job.reports if report.state is State.SUCCEEDED)
    spent = round(1000 * ((job.answered or job.submitted) - job.submitted), 1)
    return {"task": job.id, "model": job.model, "device": answer.device, "region": answer.region, "ms": spent}


def _numbers(row: "np.ndarray[Any, Any]") -> str:
    return f"[{' '.join(f'{number:+.3f}' for number in row[:_SHOWN])} ...]"
