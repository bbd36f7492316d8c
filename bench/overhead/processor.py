"""Where a task's time goes: the processor time that each side spends on it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil

from bench.ground import Ground


@dataclass(frozen=True)
class Spent:
    """Seconds of processor time: the broker's, that of those who do the tasks, and that of who submits them."""

    broker: float
    workers: float
    submitter: float

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.broker - other.broker, self.workers - other.workers, self.submitter - other.submitter)

    def per(self, tasks: int) -> "Spent":
        """Return it for one of so many tasks."""
        return Spent(self.broker / tasks, self.workers / tasks, self.submitter / tasks)


def spent_in(ground: Ground, work: Callable[[], object]) -> Spent:
    """Do some work and return what it took. Workers are this process's children; who is idle takes nothing."""
    before = _spent(ground)
    work()
    return _spent(ground) - before


def _spent(ground: Ground) -> Spent:
    broker = ground.node.processes()
    known = {process.pid for process in broker}
    workers = [child for child in psutil.Process().children(recursive=True) if child.pid not in known]
    return Spent(_seconds(broker), _seconds(workers), _seconds([psutil.Process()]))


def _seconds(processes: Iterable[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:  # it ended meanwhile
            continue
        total += times.user + times.system
    return total
