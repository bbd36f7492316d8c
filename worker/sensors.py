"""How much of this machine others use: the owner's programs, the system, and this device's other models.

Others are everything but a model's own processes and this process, the device's, whose work the ladder counts.
In this version models run on the processor alone, so that all use of a GPU is others'.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

import psutil

from worker.gpu_use import NvidiaGpus
from worker.load import Use

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_Processes = list[psutil.Process]


class Sensors:
    """Reads the counters of the machine and of processes, all on one thread.

    A sensor that fails is logged once and reads as no use: a device serves as well without it.
    """

    def __init__(self) -> None:
        self._device = psutil.Process()
        #: The share of all processors that programs used which are neither this process nor any of its models', between
        #: the last two readings.
        self.programs = 0.0
        self._failed: set[str] = set()
        self._seconds: dict[psutil.Process, float] = {}
        self._at = time.perf_counter()
        self._read("cpu", psutil.cpu_percent, 0.0)
        self._gpus = self._read("gpu", NvidiaGpus, None)

    def others(self, pids: Mapping[str, int | None]) -> dict[str, Use]:
        """Return for each model what others use; of processors: since the last call. The first one starts the count.

        Args:
            pids: the process of each model, or ``None`` where it has none.
        """
        own = {model: self._read("processes", partial(self._own, pid), [self._device]) for model, pid in pids.items()}
        shares = self._read("processes", partial(self._shares, own.values()), dict[psutil.Process, float]())
        busy = self._read("cpu", psutil.cpu_percent, 0.0) / 100
        self.programs = max(busy - sum(shares.values()), 0.0)
        gpu, gpu_memory = self._read("gpu", self._gpus.use, (0.0, 0.0)) if self._gpus else (0.0, 0.0)
        return {
            model: Use(
                cpu=max(busy - sum(shares.get(process, 0.0) for process in tree), 0.0),
                memory=self._read("memory", partial(_memory_in_use, tree), 0.0),
                gpu=gpu,
                gpu_memory=gpu_memory,
            )
            for model, tree in own.items()
        }

    def close(self) -> None:
        """Let go of the GPUs' driver."""
        if self._gpus is not None:
            self._read("gpu", self._gpus.close, None)

    def _own(self, pid: int | None) -> _Processes:
        """Return this process and a model's: on Windows the interpreter of a virtual environment has another below."""
        if pid is None:
            return [self._device]
        try:
            process = psutil.Process(pid)
            return [self._device, process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return [self._device]

    def _shares(self, trees: Iterable[_Processes]) -> dict[psutil.Process, float]:
        """Return the share of all logical processors that each process used since the last call."""
        now = time.perf_counter()
        seconds = {process: _cpu_seconds(process) for tree in trees for process in tree}
        capacity = (now - self._at) * (psutil.cpu_count() or 1)
        # One that was not there before has begun since: all that it used is new.
        shares = {p: max(used - self._seconds.get(p, 0.0), 0.0) / capacity for p, used in seconds.items()}
        self._seconds, self._at = seconds, now
        return shares

    def _read(self, sensor: str, read: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - the edge: what drivers and systems raise has no common base
            if sensor not in self._failed:
                self._failed.add(sensor)
                log.warning("load.unreadable", extra={"sensor": sensor, "reason": f"{type(error).__name__}: {error}"})
            return otherwise


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _memory_in_use(own: _Processes) -> float:
    """Return how full the memory is that these processes leave to others."""
    memory = psutil.virtual_memory()
    left = memory.total - sum(map(_memory_bytes, own))
    return 1 - memory.available / max(left, 1)


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
