"""`starai demo`: a local network embeds a real text, loses a device half way, and loses no task."""

import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from broker_config.regions import Region
from models.catalogue import load_catalogue
from models.embedding import EmbeddingEngine, load_embedding
from models.store import ModelStore
from ops.demo_report import Run, report_of, show
from ops.interrupt import stop_on_signals
from ops.local_device import local_devices
from ops.network import LocalNetwork
from ops.sentences import own_documents, read_sentences
from ops.steps import Steps
from starai.client import Client
from starai.job import Job

_MODEL = "all-minilm-l6-v2"
_REGIONS = (Region.ASIA, Region.EUROPE, Region.NORTH_AMERICA)
_SENTENCES_PER_TASK = 4
_IN_FLIGHT = 12


@click.command()
@click.option(
    "--text",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The text to embed, in UTF-8.  [default: the project's own documents]",
)
@click.option("--question", default="What happens to a task when its device dies?", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def demo(text: Path | None, question: str, as_json: bool) -> None:
    """Run a network of three devices in three regions, embed a text through it, and kill a device half way.

    Exits with 0 only if every task was answered exactly once and the answers equal those of a run without network.
    """
    stop_on_signals()
    console = Console(stderr=True)
    texts = read_sentences([text] if text else own_documents())
    network = LocalNetwork(local_devices(len(_REGIONS), _REGIONS), [_MODEL], _REGIONS[0])
    with Steps(console) as steps:
        network.start(steps)
    with network:
        run = _embed(console, network, texts)
    engine = _engine()
    report = report_of(run, np.asarray(engine.run(texts)), engine.run([question])[0])
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        show(Console(), report, question)
    raise SystemExit(0 if report.passed else 1)


def _embed(console: Console, network: LocalNetwork, texts: list[str]) -> Run:
    """Send the texts through the network and kill a device at work when half of the tasks are sent."""
    batches = list(_batches(texts))
    jobs: list[Job] = []
    waiting: deque[Job] = deque()
    killed = ""
    with Client(region=_REGIONS[0]) as client, _progress(console) as progress:
        bar = progress.add_task("Tasks answered", total=len(batches))
        for batch in batches:
            jobs.append(client.submit(_MODEL, batch))
            waiting.append(jobs[-1])
            if len(waiting) == _IN_FLIGHT:
                _await(waiting.popleft(), progress, bar)
            if len(jobs) == len(batches) // 2:
                killed = _at_work(waiting) or network.plan[-1].id
                network.devices[killed].kill()
                progress.console.print(f"[yellow]{killed} was killed with SIGKILL[/yellow]", highlight=False)
        while waiting:
            _await(waiting.popleft(), progress, bar)
    return Run(texts, jobs, _REGIONS[0], killed)


def _at_work(jobs: Sequence[Job]) -> str | None:
    """Return a device abroad that has begun one of the tasks and not answered it yet; wait for one to do so."""
    while unanswered := [job for job in jobs if not job.done]:
        last = [job.reports[-1] for job in unanswered if job.reports]
        if abroad := next((report for report in last if report.region != _REGIONS[0]), None):
            return abroad.device
        time.sleep(0.001)
    return None


def _batches(texts: list[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, _SENTENCES_PER_TASK)):
        yield batch


def _await(job: Job, progress: Progress, bar: TaskID) -> None:
    job.result()
    progress.advance(bar)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _engine() -> EmbeddingEngine:
    entry = load_catalogue().get(_MODEL)
    return load_embedding(entry, ModelStore().ensure(entry), threads=2)
