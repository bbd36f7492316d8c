"""Measures the time from a fault of the device that runs a task to the task's beginning on another one."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.errors import BenchError
from bench.figures import median
from bench.ground import Ground
from bench.progress import progress
from bench.report import Report, Table, Target, number
from broker_config.home import private_folder
from broker_config.regions import Region
from ops.platform_processes import PLATFORM
from registry.database import session
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.health_tables import DeviceHealth
from soak.load import MODELS
from soak.network import Network, Place
from starai import Client
from starai.job import Job
from tasks.health.cycle_settings import CycleSettings

_PLACES = tuple(Place(f"device-asia-{number}", "ada", Region.ASIA, MODELS[:1]) for number in (1, 2))
_PARTS = [part for part in PLATFORM if part.name not in ("flower", "page")]
# Seconds: of a task that hangs, and of all others, which would go on for longer than any fault is looked at.
_SHORT_LEASE, _LEASE, _LONG = 3.0, 120.0, 110.0
_PATIENCE = 150.0
_LOOK = 0.002

_NOTES = (
    (
        "Two devices, real processes but for their models, with the platform's processes and its default settings: a "
        "health cycle every 60 s with 15 s for answers, heartbeats of the broker every 10 s, a sweep every 5 s. A task "
        "runs on one of them when the fault befalls it; the time is that to the report of the other that it has begun, "
        "as the submitter hears it. A beginning is told after 20 ms."
    ),
    (
        "killed: SIGKILL. left: SIGTERM, with a task that outlasts the grace, from the end of the grace of 3 s. "
        "frozen: SIGSTOP. cut: nothing passes its connections any more, either way. hung: the model goes on for longer "
        "than the task's lease, and the device does not stop it; from the end of the lease."
    ),
)


def measure_recovery(_ground: Ground, runs: int) -> Report:
    """Measure each kind of fault so many times, on a network of its own."""
    times: dict[str, list[float]] = {kind: [] for kind in FAULTS}
    with _network() as network, Client(network.submitter("bench"), region="asia") as client:
        trial = Trial(network, client)
        with progress("recovery", len(FAULTS) * runs) as begin:
            for run in range(runs):
                for kind, fault in FAULTS.items():
                    begin(f"{kind}, {run + 1} of {runs}")
                    times[kind].append(fault(trial))
    return _report(times)


class Trial:
    """One fault after the other, each when all is well."""

    def __init__(self, network: Network, client: Client) -> None:
        self.network = network
        self._client = client

    def begin(self, lease: float = _LEASE) -> tuple[Job, str]:
        """Return a task that runs, and the device that runs it."""
        self._wait(self._is_well, "the devices did not become active")
        job = self._client.submit(MODELS[0], f"take {_LONG}", deadline=2 * _PATIENCE, lease=lease)
        self._wait(lambda: device_of(job), "the task did not begin")
        return job, device_of(job) or ""

    def elsewhere(self, job: Job, device: str, since: float) -> float:
        """Return after how many seconds another device has begun the task; then end it."""
        self._wait(lambda: device_of(job) not in (None, device), "no other device began the task")
        seconds = time.monotonic() - since
        job.cancel()
        return seconds

    def process(self, device: str) -> psutil.Process:
        """Return the device's process."""
        pid = self.network.kept[device].pid
        if pid is None:
            raise BenchError(f"The device {device} does not run.")
        return psutil.Process(pid)

    def _is_well(self) -> bool:
        """Tell whether all devices serve, and the platform has answered each: it begins after them."""
        with session(self.network.engine) as registry:
            at_work = all(find_device(registry, place.id).state is DeviceState.ACTIVE for place in _PLACES)
            greeted = [registry.get(DeviceHealth, place.id) for place in _PLACES]
            return at_work and all(found and found.greeted_at for found in greeted)

    @staticmethod
    def _wait(condition: Callable[[], object], failure: str) -> None:
        until = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > until:
                raise BenchError(f"Within {_PATIENCE:g} s {failure}.")
            time.sleep(_LOOK)


def device_of(job: Job) -> str | None:
    """Return the device that said last that it began the job."""
    return next((report.device for report in reversed(job.reports) if report.device), None)


def _killed(trial: Trial) -> float:
    job, device = trial.begin()
    trial.network.kept[device].kill()
    return trial.elsewhere(job, device, time.monotonic())


def _left(trial: Trial) -> float:
    job, device = trial.begin()
    began = time.monotonic()
    trial.process(device).terminate()
    seconds = trial.elsewhere(job, device, began) - _GRACE
    trial.network.kept[device].stop()  # one that left is started by nobody
    trial.network.kept[device].start()
    return seconds


def _frozen(trial: Trial) -> float:
    job, device = trial.begin()
    process = trial.process(device)
    process.suspend()
    try:
        return trial.elsewhere(job, device, time.monotonic())
    finally:
        process.resume()


def _cut(trial: Trial) -> float:
    job, device = trial.begin()
    trial.network.ways[device].cut()
    try:
        return trial.elsewhere(job, device, time.monotonic())
    finally:
        trial.network.ways[device].heal()


def _hung(trial: Trial) -> float:
    job, device = trial.begin(_SHORT_LEASE)
    began = time.monotonic()
    seconds = trial.elsewhere(job, device, began) - _SHORT_LEASE
    for place in _PLACES:  # what hangs on both would hang for long
        trial.network.kept[place.id].kill()
    return seconds


#: By name: brings a fault, and returns after how many seconds the task had begun elsewhere.
FAULTS: Mapping[str, Callable[[Trial], float]] = {
    "killed": _killed,
    "left": _left,
    "frozen": _frozen,
    "cut": _cut,
    "hung": _hung,
}
# Of ``soak.device``.
_GRACE = 3.0


@contextmanager
def _network() -> Iterator[Network]:
    before = os.environ.get("STARAI_HOME")
    with tempfile.TemporaryDirectory(prefix="starai-bench-") as folder:
        os.environ["STARAI_HOME"] = str(private_folder(Path(folder) / "home"))
        network = Network(Path(folder), None, _PLACES, _PARTS, health={})
        try:
            network.start()
            yield network
        finally:
            network.stop()
            os.environ.pop("STARAI_HOME") if before is None else os.environ.update(STARAI_HOME=before)


def _report(times: Mapping[str, list[float]]) -> Report:
    rows = [(kind, number(median(found)), number(max(found)), str(len(found))) for kind, found in times.items()]
    cycle = CycleSettings().health_seconds + CycleSettings().health_deadline_seconds
    targets = [
        Target("seconds until the task of a killed device begins elsewhere, the longest", max(times["killed"]), 1.0),
        *(
            Target(f"seconds, {kind}, the longest: one cycle and a lease of 60 s", max(times[kind]), cycle + 60.0)
            for kind in ("frozen", "cut")
        ),
    ]
    columns = ("the device was", "median s", "longest s", "runs")
    return Report("recovery", _NOTES, [Table("From a fault to the task's beginning elsewhere", columns, rows)], targets)
