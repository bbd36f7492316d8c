"""`starai demo`: a local network embeds a real text, loses a device half way, and loses no task."""

import json
import signal
from collections import deque
from collections.abc import Iterator
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
from ops.local_device import LocalDevice, local_devices
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    texts = read_sentences([text] if text else own_documents())
    devices = local_devices(len(_REGIONS), _REGIONS)
    network = LocalNetwork(devices, [_MODEL], _REGIONS[0])
    with Steps(console) as steps:
        network.start(steps)
    with network:
        run = _embed(console, network, texts, victim=devices[1])
    engine = _engine()
    report = report_of(run, np.asarray(engine.run(texts)), engine.run([question])[0])
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        show(Console(), report, question)
    raise SystemExit(0 if report.passed else 1)


def _embed(console: Console, network: LocalNetwork, texts: list[str], victim: LocalDevice) -> Run:
    """Send the texts through the network and kill the victim when half of the tasks are answered."""
    batches = list(_batches(texts))
    jobs: list[Job] = []
    waiting: deque[Job] = deque()
    with Client(region=_REGIONS[0]) as client, _progress(console) as progress:
        bar = progress.add_task("Tasks answered", total=len(batches))
        for batch in batches:
            jobs.append(client.submit(_MODEL, batch))
            waiting.append(jobs[-1])
            if len(waiting) == _IN_FLIGHT:
                _await(waiting.popleft(), progress, bar)
            if len(jobs) == len(batches) // 2:
                network.devices[victim.id].kill()
                progress.console.print(f"[yellow]{victim.id} was killed with SIGKILL[/yellow]", highlight=False)
        while waiting:
            _await(waiting.popleft(), progress, bar)
    return Run(texts, jobs, _REGIONS[0], victim.id)


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
