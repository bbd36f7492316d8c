"""Two devices, one that has everything and one that has nothing yet; and what the command prints of them."""

import json
from datetime import UTC, datetime

from broker_config.tiers import Tier
from registry.deployments import Planned
from registry.tables import Measurement
from tasks.probe import GpuReading, Readings

JOINED = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = bytes(range(32))
DETAILS = {"gpus": [{"name": "NVIDIA [other]"}, {"name": "a second one"}]}
MEASURED = Measurement(
    device_id="device-1",
    at=JOINED,
    cpu_model="AMD \x1b[2JRyzen",
    physical_cores=8,
    threads=16,
    memory_bytes=32 * 2**30,
    gpu_name="NVIDIA [other]",
    gpu_memory_bytes=12 * 2**30,
    gpu_driver="580.82",
    provider="CUDAExecutionProvider",
    gflops_one_thread=120.4,
    gb_per_s_one_thread=30.25,
    details=json.dumps(DETAILS),
)
MODELS = (
    Planned("all-minilm-l6-v2", Tier.TINY, slots=4, threads=8, tasks_per_second=80.5),
    Planned("phi3-3.8b", Tier.MEDIUM),
)
READINGS = Readings(
    load=0.42,
    processor=0.55,
    temperature=61.0,
    memory_left=9 * 2**30,
    disk_left=120 * 2**30,
    gpus=(GpuReading(name="[red]RTX", driver="580.82", temperature=67.0, memory_errors=2, fault="lost its bus"),),
    provider="CUDAExecutionProvider",
    provider_fault="its library is missing",
    models=("all-minilm-l6-v2",),
    broken={"phi3-3.8b": "out of memory"},
    running=3,
    held=1,
    unsettled=0,
    consumers=4,
    paused="on battery",
)


def printed(run, *arguments):
    result = run("devices", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def row(output, start):
    (line,) = (line for line in output.splitlines() if line.startswith(f"│ {start} "))
    return line
