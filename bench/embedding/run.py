"""Measures embedding: through the network to one device with all cores, and in this process without a network."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence

import psutil

from bench.embedding.sentences import sentences
from bench.figures import interleaved, median, spread
from bench.ground import Ground
from bench.peer import Control, Peer
from bench.progress import progress
from bench.report import Report, Table, Target, number
from broker_config.regions import Region
from models.catalogue import load_catalogue
from models.embedding import EmbeddingEngine, load_embedding
from models.store import ModelStore
from starai import Client
from tasks.deployment import Deployment
from worker.enrolment import Enrolment
from worker.run import run_device

_MODEL = "all-minilm-l6-v2"
_HOME = Region.ASIA
_SENTENCES = 2000
_SLOTS = 4
_BEST, _PLAIN, _NETWORK = "in process, by length", "in process, one by one", "through the network"

_NOTES = (
    (
        f"{_SENTENCES:,} sentences of mixed length, embedded by {_MODEL} with all cores. Through the network: "
        f"`Client.map` with its defaults, one device of {_SLOTS} slots, the model in its child process. In process: "
        "ONNX Runtime called directly, once with the sentences sorted by length and batched within a token budget "
        "(the best that is known here), once one by one in their order."
    ),
)


def measure_embedding(ground: Ground, runs: int) -> Report:
    """Measure the three ways on this machine."""
    entry = load_catalogue().get(_MODEL)
    folder = ModelStore().ensure(entry)
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    ground.host([_MODEL])
    enrolment = ground.enrol(_HOME, Deployment(model=_MODEL, tier=entry.tier, slots=_SLOTS), cores)
    texts = sentences(_SENTENCES)
    with Peer(_device, enrolment), Client(ground.submitter(), region=_HOME) as client:
        ways = _ways(client, load_embedding(entry, folder, cores))
        samples = _measure(ways, texts, runs)
    return _report(samples)


def _ways(client: Client, engine: EmbeddingEngine) -> dict[str, Callable[[Sequence[str]], object]]:
    return {
        _NETWORK: lambda texts: deque(client.map(_MODEL, texts), maxlen=0),
        _BEST: engine.run,
        _PLAIN: lambda texts: [engine.run([text]) for text in texts],
    }


def _measure(
    ways: dict[str, Callable[[Sequence[str]], object]], texts: Sequence[str], runs: int
) -> dict[str, list[float]]:
    for embed in ways.values():  # the model is loaded and its memory allocated from here on
        embed(texts[:64])
    samples: dict[str, list[float]] = {way: [] for way in ways}
    with progress("embedding", runs * len(ways)) as begin:
        for run, way in interleaved(list(ways), runs):
            begin(f"{way}, run {run}")
            begun = time.perf_counter()
            ways[way](texts)
            samples[way].append(len(texts) / (time.perf_counter() - begun))
    return samples


def _report(samples: dict[str, list[float]]) -> Report:
    best = median(samples[_BEST])
    rows = [
        (way, number(median(values)), number(median(values) / best), f"{spread(values):.0%}")
        for way, values in samples.items()
    ]
    table = Table("Embedding", ("", "sentences/s", "/ best in process", "spread of the runs"), rows)
    ratio = median(samples[_NETWORK]) / best
    return Report(
        "embedding", _NOTES, [table], [Target("through the network / best in process", ratio, 0.95, at_most=False)]
    )


def _device(control: Control, enrolment: Enrolment) -> None:
    control.listen(lambda _: None, on_end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    control.say("ready")
    run_device(enrolment, grace=1.0)
