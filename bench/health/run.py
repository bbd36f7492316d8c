"""Measures the health cycle: what a device costs the platform, and how long a whole fleet takes."""

import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import psutil
from sqlalchemy import Engine

from bench.errors import BenchError
from bench.figures import median
from bench.ground import Ground
from bench.health.fleet import MODEL, counting, declare_all, device_ids, enrol_all
from bench.health.simulated import READY
from bench.progress import progress
from bench.recorder.database import KINDS, database
from bench.report import Report, Table, Target, number
from broker_config.users import grant_everything
from ops.process import Process
from registry.database import open_engine, reading
from registry.device_state import DeviceState
from registry.devices import enrolled_devices
from registry.health_tables import HealthCycle
from tasks.enforcement import Enforcement
from tasks.health.cycle import Cycle
from tasks.health.cycle_settings import CycleSettings
from tasks.health.looks import Looks

#: Devices of the fleets that are measured.
SIZES = (1_000, 10_000)
#: Milliseconds of the platform's processor time that a device may cost.
_MOST = 1.0
_PATIENCE = 300.0

_NOTES = (
    (
        "One cycle over a fleet, all of it at work and well: the platform reads the registry, sends every device a "
        "probe with a nonce of its own, and in each cycle a thirtieth of them 64 KiB each way; it looks at the "
        "broker's management API, checks every answer's signature and what it says, and writes one row a device, and "
        "two of the cycle itself. Processor time is that of the whole process, of all its threads. 'wall s' is one "
        "whole cycle, from its beginning until everything is written."
    ),
    (
        "What is simulated: the machines. One process reads all control queues over one connection and signs each "
        "report with its device's own key; to the broker it is one user that may speak for others (RabbitMQ's tag "
        "`impersonator`), so that neither its check of `user_id` nor thousands of connections are measured. It shares "
        "the machine with the platform, the broker and the database."
    ),
)


@dataclass(frozen=True)
class Sample:
    """One cycle: seconds of processor time, of which the devices' and the broker's, of the clock, and rows."""

    platform: float
    devices: float
    broker: float
    wall: float
    rows: int


def measure_health(ground: Ground, runs: int, sizes: Sequence[int] = SIZES) -> Report:
    """Measure cycles over fleets of these sizes, on databases of both kinds."""
    samples: dict[tuple[int, str], list[Sample]] = {}
    with progress("health", len(sizes) * len(KINDS)) as begin:
        for size in sizes:
            apart, devices = ground.apart(f"health-{size}"), device_ids(size)
            apart.host([MODEL])
            declare_all(apart, devices)
            with _simulated(apart, size) as process:
                for kind in KINDS:
                    begin(f"{size:,} devices, {kind}")
                    samples[size, kind] = _measure(apart, devices, kind, runs, process)
    return _report(samples)


def _measure(ground: Ground, devices: Sequence[str], kind: str, runs: int, process: Process) -> list[Sample]:
    with database(kind) as made:
        engine = open_engine(made.url)
        try:
            enrol_all(engine, devices)
            # The first cycle makes the rows of health, and a process is slower when it begins.
            samples = [_sample(ground, engine, process) for _ in range(runs + 1)][1:]
            _check(engine, len(devices), runs + 1)
        finally:
            engine.dispose()
    return samples


def _sample(ground: Ground, engine: Engine, process: Process) -> Sample:
    enforcement = Enforcement(engine, ground.node.api, ground.url)
    looks = Looks(engine, ground.node.api, ground.vhost)
    # Cycles follow one another as fast as they can, which is no outage.
    cycle = Cycle(engine, ground.url, enforcement, looks=looks, settings=CycleSettings(health_deadline_seconds=60))
    with counting(engine) as written:
        before, begun = _processor(ground, process), time.perf_counter()
        cycle.run()
        wall, after = time.perf_counter() - begun, _processor(ground, process)
    own, devices, broker = (later - sooner for later, sooner in zip(after, before, strict=True))
    return Sample(own, devices, broker, wall, written.rows)


def _processor(ground: Ground, process: Process) -> tuple[float, float, float]:
    broker = sum(sum(one.cpu_times()[:2]) for one in ground.node.processes())
    return time.process_time(), sum(psutil.Process(process.pid).cpu_times()[:2]), broker


def _check(engine: Engine, size: int, cycles: int) -> None:
    """Refuse figures of cycles that did not do what they are to."""
    with reading(engine) as registry:
        found = [registry.get_one(HealthCycle, number + 1) for number in range(cycles)]
        at_work = sum(device.state is DeviceState.ACTIVE for device in enrolled_devices(registry))
    wrong = [(one.well, one.failed, one.silent, one.outage) for one in found if one.well != size]
    if wrong or at_work != size:
        raise BenchError(f"Not all of {size} devices were well: {wrong}, and {at_work} are at work.")


@contextmanager
def _simulated(ground: Ground, size: int) -> Iterator[Process]:
    user, password = f"simulated-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    _add_impersonator(ground, user, password)
    variables = {"STARAI_BROKER_URL": ground.node.url(user, password, ground.vhost)}
    command = [sys.executable, "-P", "-m", "bench.health.simulated", str(size)]
    process = Process(f"devices-{ground.vhost}", command, Path(ground.node.folder), variables)
    try:
        _wait_for(process)
        yield process
    finally:
        process.release()
        process.wait(30.0)


def _add_impersonator(ground: Ground, user: str, password: str) -> None:
    """Make a user that may send in the name of others, which no user of a network is."""
    login = urlsplit(ground.url)
    httpx.put(
        f"{ground.node.api.url}/api/users/{user}",
        json={"password": password, "tags": "impersonator"},
        auth=(unquote(login.username or ""), unquote(login.password or "")),
        trust_env=False,
    ).raise_for_status()
    grant_everything(ground.node.api, user, ground.vhost)


def _wait_for(process: Process) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not process.has_said(READY):
        if process.exit_code is not None or time.monotonic() > deadline:
            raise BenchError(f"The simulated devices did not start.\n{process.last_words()}")
        time.sleep(0.1)


def _report(samples: dict[tuple[int, str], list[Sample]]) -> Report:
    rows = [(f"{size:,}", kind, *_row(size, found)) for (size, kind), found in samples.items()]
    columns = ("devices", "database", "platform ms", "simulated devices ms", "broker ms", "rows", "wall s")
    largest = max(size for size, _ in samples)
    targets = [
        target for (size, kind), found in samples.items() if size == largest for target in _targets(size, kind, found)
    ]
    return Report("health", _NOTES, [Table("A cycle: processor time and rows for a device", columns, rows)], targets)


def _row(size: int, found: Sequence[Sample]) -> Iterator[str]:
    for seconds in ([one.platform for one in found], [one.devices for one in found], [one.broker for one in found]):
        yield number(1000 * median(seconds) / size)
    yield f"{median([one.rows for one in found]) / size:.4f}"
    yield number(median([one.wall for one in found]))


def _targets(size: int, kind: str, found: Sequence[Sample]) -> Iterator[Target]:
    spent = 1000 * median([one.platform for one in found]) / size
    yield Target(f"ms of the platform's processor time for a device of {size:,}, {kind}", spent, _MOST)
    rows = (median([one.rows for one in found]) - 2) / size
    yield Target(f"rows written for a device of {size:,}, {kind}", rows, 1.0)
