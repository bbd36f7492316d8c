"""What `starai submit` does with a language model: asks it, and shows its text."""

import json
import sys
from typing import Any

import click

from ops.output import printable
from starai.client import Client
from starai.errors import Restarted
from starai.generation import ChatMessage, Generated, Options
from starai.job import Job
from starai.stream import Stream
from starai.wire import State


def conversation(text: str, system: str | None) -> list[ChatMessage]:
    """Return a question as a conversation, after what the model is told to be, if anything."""
    begin = [ChatMessage(role="system", content=system)] if system else []
    return [*begin, ChatMessage(role="user", content=text)]


def show_text(
    client: Client, model: str, prompt: str | list[ChatMessage], options: Options, how: dict[str, Any], as_json: bool
) -> None:
    """Print a text when it is whole."""
    job = client.submit(model, prompt, options=options, **how["task"])
    try:
        generated = job.result(how["timeout"])
    except KeyboardInterrupt:
        job.give_up()
        raise
    if as_json:
        click.echo(json.dumps(_end(job, generated)))
        return
    click.echo(_shown(generated.text))
    _tell(job, generated)


def show_stream(
    client: Client, model: str, prompt: str | list[ChatMessage], options: Options, how: dict[str, Any], as_json: bool
) -> None:
    """Print a text piece by piece; what is not read to its end is cancelled."""
    with client.stream(model, prompt, options=options, **how["task"]) as stream:
        _show_pieces(stream, as_json)
        generated = stream.result()
    if as_json:
        click.echo(json.dumps(_end(stream.job, generated)))
        return
    click.echo()
    _tell(stream.job, generated)


def _show_pieces(stream: Stream, as_json: bool) -> None:
    while True:
        try:
            for piece in stream:
                click.echo(json.dumps({"run": piece.run, "piece": piece}) if as_json else _shown(piece), nl=as_json)
        except Restarted:
            click.echo("\n[Another device began the text anew.]", err=True)
            if as_json:
                click.echo(json.dumps({"restarted": True}))
        else:
            return


def _tell(job: Job, generated: Generated) -> None:
    rate = generated.tokens / generated.seconds if generated.seconds else 0.0
    who = whose(job)
    click.echo(
        f"{generated.tokens} tokens from {who['device']} ({who['region']}) in {who['ms']} ms, the first after "
        f"{1000 * generated.first_token_seconds:.0f} ms, {rate:.1f} tokens/s; ended by {generated.finish_reason}",
        err=True,
    )


def _end(job: Job, generated: Generated) -> dict[str, Any]:
    return whose(job) | generated.model_dump(mode="json")


def whose(job: Job) -> dict[str, Any]:
    """Return which task it was, who did it, and how long that took, to its submitter."""
    answer = next(report for report in job.reports if report.state is State.SUCCEEDED)
    spent = round(1000 * ((job.answered or job.submitted) - job.submitted), 1)
    return {"task": job.id, "model": job.model, "device": answer.device, "region": answer.region, "ms": spent}


def _shown(text: str) -> str:
    """Return a stranger's text for a terminal without what that would obey; for a file as it is."""
    return "\t".join(map(printable, text.split("\t"))) if sys.stdout.isatty() else text
