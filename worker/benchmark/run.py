"""How fast ONNX Runtime computes and reads memory on this device's processor."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from models.measurement import Speed
from models.runtime import CPU, Provider, Session, new_session
from starai.errors import ModelError

#: Told after each run which part of the benchmark is done, from 0.0 to 1.0.
Progress = Callable[[float], None]

#: How often each probe runs, spread over the whole benchmark: something else may be busy for a while.
ROUNDS = 3
#: Seconds that one run of a probe takes, by the clock.
SECONDS = 0.4

# Seconds by which Windows counts processor time: less than that reads as none.
_TICK = 1 / 64

# Large enough to reach the peak (512 is the same here), small enough for 0.4 s on a slow processor.
_SIDE = 1024
# 256 MiB of weights, more than caches hold: each token of a language model reads all its weights like this.
_ROWS, _COLUMNS = 4096, 16384


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
    cases = [(load_probe(count), probe, count) for count in threads for probe in probes]
    rates: list[list[float]] = [[] for _ in cases]
    for turn in range(ROUNDS):
        for place, (session, probe, count) in enumerate(cases):
            rates[place].append(_rate(session, probe, count))
            progress((turn * len(cases) + place + 1) / (ROUNDS * len(cases)))
    medians = [median(runs) for runs in rates]
    return [
        Speed(threads=n, gflops=gflops, gb_per_s=gb_per_s)
        for n, gflops, gb_per_s in zip(threads, medians[::2], medians[1::2], strict=True)
    ]


def load_probe(threads: int, providers: Sequence[Provider] = CPU) -> Session:
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


def _rate(session: Session, probe: _Probe, threads: int) -> float:
    """Return work per second of processor time, which each thread has; the first call warms up and does not count.

    By the clock, a machine whose owner is busy would seem slow: with six programs on two cores one thread fell to a
    third, while by processor time it stayed within 5 %. What threads wait for one another is not counted.
    """
    session.run(probe.inputs)
    calls, end, begin = 0, time.perf_counter() + SECONDS, time.process_time()
    while not calls or time.perf_counter() < end:
        session.run(probe.inputs)
        calls += 1
    used = time.process_time() - begin
    return calls * probe.work * threads / max(used, _TICK)
