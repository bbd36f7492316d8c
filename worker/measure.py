"""What this device can do: what was found, and how fast it really is."""

from pydantic import BaseModel, ConfigDict

from worker.benchmark.run import Progress, Speed, benchmark
from worker.engine import Engine, find_engine
from worker.hardware import Hardware, find_hardware


class Measurement(BaseModel):
    """The figures that the platform keeps of a device; its registry has a column of the same name for each.

    Attributes:
        memory_bytes: main memory of the machine.
        gpu_name: the first GPU found, or ``None``; ``gpu_memory_bytes`` and ``gpu_driver`` are its own.
        provider: the ONNX Runtime execution provider that really loaded.
        gflops_one_thread: float32 matrix product on the processor, 10^9 operations a second.
        gb_per_s_one_thread: reading float32 weights on the processor, 10^9 bytes a second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_model: str
    physical_cores: int
    threads: int
    memory_bytes: int
    gpu_name: str | None = None
    gpu_memory_bytes: int | None = None
    gpu_driver: str | None = None
    provider: str
    gflops_one_thread: float
    gb_per_s_one_thread: float


class Evaluation(BaseModel):
    """Everything that was found and measured, the first of the speeds with one thread."""

    model_config = ConfigDict(frozen=True)

    hardware: Hardware
    engine: Engine
    speeds: tuple[Speed, ...]


def evaluate_device(progress: Progress = lambda _: None) -> Evaluation:
    """Look at this machine, then measure it with one thread and with all its physical cores: about 6 seconds.

    Raises:
        EngineMissing: there is no usable ONNX Runtime.
        ModelError: it failed, for want of memory for example.
    """
    engine, hardware = find_engine(), find_hardware()
    threads = sorted({1, hardware.physical_cores})
    return Evaluation(hardware=hardware, engine=engine, speeds=tuple(benchmark(threads, progress)))


def measurement_of(evaluation: Evaluation) -> Measurement:
    """Return what the platform keeps of an evaluation."""
    hardware, alone = evaluation.hardware, evaluation.speeds[0]
    gpu = hardware.gpus[0] if hardware.gpus else None
    return Measurement(
        cpu_model=hardware.cpu_model,
        physical_cores=hardware.physical_cores,
        threads=hardware.threads,
        memory_bytes=hardware.memory_bytes,
        gpu_name=gpu.name if gpu else None,
        gpu_memory_bytes=gpu.memory_bytes if gpu else None,
        gpu_driver=gpu.driver if gpu else None,
        provider=evaluation.engine.provider,
        gflops_one_thread=alone.gflops,
        gb_per_s_one_thread=alone.gb_per_s,
    )


def measure(progress: Progress = lambda _: None) -> Measurement:
    """Measure this device, for the platform; see :func:`evaluate_device` for what it takes and raises."""
    return measurement_of(evaluate_device(progress))
