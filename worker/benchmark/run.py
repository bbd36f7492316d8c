"""How fast ONNX Runtime computes and reads memory on this device's processor."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.runtime import CPU, Session, new_session
from starai.errors import ModelError

#: Told after each run which part of the benchmark is done, from 0.0 to 1.0.
Progress = Callable[[float], None]

#: How often each probe runs, spread over the whole benchmark: something else may be busy for a while.
ROUNDS = 3
#: Seconds that one run of a probe takes.
SECONDS = 0.4

# Large enough to reach the peak (512 is the same here), small enough for 0.4 s on a slow processor.
_SIDE = 1024
# 256 MiB of weights, more than caches hold: each token of a language model reads all its weights like this.
_ROWS, _COLUMNS = 4096, 16384


class Speed(BaseModel):
    """What a number of threads reach together.

    Attributes:
        threads: the threads of one run.
        gflops: float32 matrix product, 10^9 operations a second; an addition and a multiplication are two.
        gb_per_s: reading float32 weights to multiply a vector, 10^9 bytes a second.
    """

    model_config = ConfigDict(frozen=True)

    threads: int
    gflops: float
    gb_per_s: float


@dataclass(frozen=True)
class _Probe:
    """Inputs for the graph, and how much work they are: operations or bytes, in units of 10^9."""

    inputs: Mapping[str, NDArray[np.float32]]
    work: float


def benchmark(threads: Sequence[int], progress: Progress = lambda _: None) -> list[Speed]:
    """Measure with each number of threads; the figures are medians of :data:`ROUNDS` runs.

    Raises:
        EngineMissing: there is no usable ONNX Runtime.
        ModelError: it failed, for want of memory for example.
    """
    probes = (_compute(), _memory())
    cases = [(session, probe) for session in map(load_probe, threads) for probe in probes]
    rates: list[list[float]] = [[] for _ in cases]
    for turn in range(ROUNDS):
        for place, (session, probe) in enumerate(cases):
            rates[place].append(_rate(session, probe))
            progress((turn * len(cases) + place + 1) / (ROUNDS * len(cases)))
    medians = [median(runs) for runs in rates]
    return [
        Speed(threads=n, gflops=gflops, gb_per_s=gb_per_s)
        for n, gflops, gb_per_s in zip(threads, medians[::2], medians[1::2], strict=True)
    ]


def load_probe(threads: int, providers: Sequence[str] = CPU) -> Session:
    """Load the benchmark's graph.

    Raises:
        EngineMissing: there is no usable ONNX Runtime, or it cannot use one of the providers.
    """
    graph = resources.files("worker.benchmark") / "matmul.onnx"
    return new_session(graph.read_bytes(), Path(), providers, threads)


def _compute() -> _Probe:
    a, b = np.random.default_rng(0).standard_normal((2, _SIDE, _SIDE), np.float32)
    return _Probe({"a": a, "b": b}, work=2 * _SIDE**3 / 1e9)


def _memory() -> _Probe:
    # Ones are written to memory; zeros would all be one page that the system shares, and stay in the cache.
    try:
        weights = np.ones((_ROWS, _COLUMNS), np.float32)
    except MemoryError as error:
        raise ModelError("The benchmark needs 300 MB of memory. End other programs, then try again.") from error
    return _Probe({"a": np.ones((1, _ROWS), np.float32), "b": weights}, work=weights.nbytes / 1e9)


def _rate(session: Session, probe: _Probe) -> float:
    """Return work per second, by the median of the calls in one run; the first call warms up and does not count."""
    session.run(probe.inputs)
    calls: list[float] = []
    end = time.perf_counter() + SECONDS
    while not calls or time.perf_counter() < end:
        begin = time.perf_counter()
        session.run(probe.inputs)
        calls.append(time.perf_counter() - begin)
    return probe.work / median(calls)
