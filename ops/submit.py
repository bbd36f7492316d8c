"""`starai submit`: one task, from the command line."""

import json
import sys
from typing import Any

import click
import numpy as np

from broker_config.regions import Region
from models.catalogue import load_catalogue
from models.entry import Kind
from ops.submit_text import conversation, show_stream, show_text, whose
from starai.client import Client
from starai.errors import BadInput, ModelNotFound
from starai.generation import MOST_TOKENS, Options
from starai.submission import DEADLINE, LONGEST_LEASE, SHORTEST_LEASE

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
    help="Seconds that it may run on one device, or make no more of a text.  [default: the network's]",
)
@click.option("--stream", is_flag=True, help="Of a language model: print the text as it is made.")
@click.option("--system", help="Of a language model: what it is to be, before the question.")
@click.option("--raw", is_flag=True, help="Of a language model: go on from the text itself, which is no question.")
@click.option("--max-tokens", type=click.IntRange(1, MOST_TOKENS), help="Of a language model: end after so many.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="Of a language model: 0 is always the likeliest.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON; a stream as a line a piece.")
def submit(
    model: str,
    texts: tuple[str, ...],
    region: str | None,
    timeout: float | None,
    deadline: float,
    lease: float | None,
    stream: bool,
    system: str | None,
    raw: bool,
    max_tokens: int | None,
    temperature: float | None,
    as_json: bool,
) -> None:
    """Submit TEXTS to MODEL as one task and print the result.

    A model that embeds makes a vector of each text; without TEXTS, of each line of standard input. A language model
    answers the question that TEXTS, or all of standard input, are. Ctrl-C ends a text that is being made.

    The network is the one that STARAI_BROKER_URL names, else the one that `starai up` runs on this machine.
    """
    said = {"max_tokens": max_tokens, "temperature": temperature}
    given = {name: value for name, value in said.items() if value is not None}
    how: dict[str, Any] = {"timeout": timeout, "task": {"deadline": deadline, "lease": lease}}
    if not (stream or system or raw or given or _generates(model)):
        inputs = list(texts) or [line for line in sys.stdin.read().splitlines() if line.strip()]
        with Client(region=region) as client:
            _show_vectors(client, model, inputs, how, as_json)
        return
    if raw and system:
        raise click.UsageError("--raw has no room for --system: write it into the text.")
    if stream and timeout is not None:
        raise click.UsageError("--timeout is for a result that comes as a whole: without --stream.")
    text = " ".join(texts) or sys.stdin.read()
    if not text.strip():
        raise BadInput("There is no question: give a text, or standard input.")
    show = show_stream if stream else show_text
    with Client(region=region) as client:
        show(client, model, text if raw else conversation(text, system), Options(**given), how, as_json)


def _generates(model: str) -> bool:
    """Tell whether the catalogue knows the model, or the tier's default one, as a language model."""
    catalogue = load_catalogue()
    try:
        return catalogue.get(model).kind is Kind.GENERATE
    except ModelNotFound:
        return any(entry.default and entry.tier == model and entry.kind is Kind.GENERATE for entry in catalogue)


def _show_vectors(client: Client, model: str, inputs: list[str], how: dict[str, Any], as_json: bool) -> None:
    job = client.submit(model, inputs, **how["task"])
    vectors = job.result(how["timeout"])
    if as_json:
        click.echo(json.dumps({**whose(job), "vectors": vectors.tolist()}))
        return
    for text, row in zip(inputs, vectors, strict=True):
        click.echo(f"{_numbers(row)}  {text[:60]}")
    who = whose(job)
    click.echo(
        f"{len(inputs)} x {vectors.shape[1]} numbers from {who['device']} ({who['region']}) in {who['ms']} ms", err=True
    )


def _numbers(row: "np.ndarray[Any, Any]") -> str:
    return f"[{' '.join(f'{number:+.3f}' for number in row[:_SHOWN])} ...]"
