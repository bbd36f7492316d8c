"""Measures embedding in a headless Chromium with one thread, and by this process's engine with one thread."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil
from playwright.sync_api import Page

from bench.browser.built import built
from bench.browser.chromium import chromium
from bench.browser.site import site
from bench.embedding.sentences import sentences
from bench.figures import interleaved, median, spread
from bench.progress import progress
from bench.report import Report, Table, number
from models.catalogue import load_catalogue
from models.embedding import load_embedding
from models.store import ModelStore

_MODEL = "all-minilm-l6-v2"
_BATCHES = (4, 64)
#: Sentences of one sample, in as many batches as that takes.
_SENTENCES = 256
_BROWSER, _PROCESS = "browser", "in process"

_NOTES = (
    (
        f"{_SENTENCES} sentences of mixed length, embedded by {_MODEL} with one thread, in batches of "
        f"{' and of '.join(map(str, _BATCHES))} at a time, one after the other: a task has about so many. Browser: the "
        "model part of the page for phones in a headless Chromium, by the functions that the page calls, in a worker. "
        "In process: the engine of all other devices. Runs of the two alternate; the ratio is the median of the ratios "
        "of neighbours, so that a machine that changes its pace does it to both. On a busy machine the figures by "
        "processor time say more."
    ),
)


@dataclass(frozen=True)
class _Way:
    """A way to embed texts, and the processor time that it has used until now, in seconds."""

    embed: Callable[[Sequence[str]], object]
    used: Callable[[], float]


class _Sample(NamedTuple):
    """Sentences a second, by the clock and by processor time."""

    clock: float
    processor: float


_Samples = dict[tuple[str, int], list[_Sample]]


def measure_browser(runs: int) -> Report:
    """Measure both on this machine."""
    entry = load_catalogue().get(_MODEL)
    store = ModelStore()
    engine = load_embedding(entry, store.ensure(entry), threads=1)
    with _page(store) as page:
        ways = {
            _BROWSER: _Way(
                lambda texts: page.evaluate("async (texts) => void (await host.run(texts))", texts), _of_others
            ),
            _PROCESS: _Way(engine.run, time.process_time),
        }
        samples = _measure(ways, sentences(_SENTENCES), runs)
    return _report(samples)


@contextmanager
def _page(store: ModelStore) -> Iterator[Page]:
    """Open a page with the model loaded."""
    with ExitStack() as until_end:
        folder = until_end.enter_context(tempfile.TemporaryDirectory(prefix="starai-page-"))
        url = until_end.enter_context(site(built(Path(folder)), store))
        page = until_end.enter_context(chromium()).new_page()
        page.goto(url)
        page.evaluate("async (name) => { globalThis.model = await store.ensure(name, () => {}); }", _MODEL)
        page.evaluate("async () => { globalThis.host = await openHost(model, 1); }")
        yield page


def _of_others() -> float:
    """The processor time of the browser's processes."""
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        if "chrom" in process.name():
            used += sum(process.cpu_times()[:2])
    return used


def _measure(ways: dict[str, _Way], texts: Sequence[str], runs: int) -> _Samples:
    samples: _Samples = {(way, size): [] for size in _BATCHES for way in ways}
    for way in ways.values():  # the engine's code is compiled and its memory allocated from here on
        way.embed(texts[: max(_BATCHES)])
    with progress("browser", runs * len(samples)) as begin:
        for run, (name, size) in interleaved(list(samples), runs):
            begin(f"{name}, {size} at a time, run {run}")
            samples[name, size].append(_sample(ways[name], texts, size))
    return samples


def _sample(way: _Way, texts: Sequence[str], size: int) -> _Sample:
    begun, used = time.perf_counter(), way.used()
    for first in range(0, len(texts), size):
        way.embed(texts[first : first + size])
    return _Sample(len(texts) / (time.perf_counter() - begun), len(texts) / (way.used() - used))


def _report(samples: _Samples) -> Report:
    tables = [
        _table("Browser, by the clock", samples, lambda sample: sample.clock),
        _table("Browser, by processor time", samples, lambda sample: sample.processor),
    ]
    return Report("browser", _NOTES, tables, [])


def _table(title: str, samples: _Samples, figure: Callable[[_Sample], float]) -> Table:
    rates = {case: [figure(sample) for sample in taken] for case, taken in samples.items()}
    rows = [
        (way, str(size), number(median(values)), number(_ratio(values, rates[_PROCESS, size])), f"{spread(values):.0%}")
        for (way, size), values in rates.items()
    ]
    return Table(title, ("", "sentences at a time", "sentences/s", "/ in process", "spread of the runs"), rows)


def _ratio(values: Sequence[float], others: Sequence[float]) -> float:
    return median([value / other for value, other in zip(values, others, strict=True)])
