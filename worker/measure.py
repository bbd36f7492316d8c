"""What this device can do: what was found, and how fast it really is."""

from pydantic import BaseModel, ConfigDict

from models.measurement import MachineClass, Measurement, Speed
from worker.benchmark.run import Progress, benchmark
from worker.engine import Engine, LanguageEngine, find_engine, find_language_engine, try_gpus
from worker.hardware import Hardware, find_hardware


class Evaluation(BaseModel):
    """Everything that was found and measured, the first of the speeds with one thread."""

    model_config = ConfigDict(frozen=True)

    hardware: Hardware
    engine: Engine
    language: LanguageEngine = LanguageEngine()
    speeds: tuple[Speed, ...]


def evaluate_device(progress: Progress = lambda _: None) -> Evaluation:
    """Look at this machine, then measure it with one thread and with all its physical cores: about 6 seconds.

    Raises:
        EngineMissing: there is no usable ONNX Runtime.
        ModelError: it failed, for want of memory for example.
    """
    engine, hardware = find_engine(), find_hardware()
    gpus = try_gpus(engine.provider, hardware.gpus)
    threads = sorted({1, hardware.physical_cores})
    return Evaluation(
        hardware=hardware.model_copy(update={"gpus": gpus}),
        engine=engine,
        language=find_language_engine(engine),
        speeds=tuple(benchmark(threads, progress)),
    )


def measurement_of(evaluation: Evaluation, machine_class: MachineClass = MachineClass.PERSONAL) -> Measurement:
    """Return what a device tells the platform of an evaluation, and what its owner says that it is for."""
    return Measurement(
        **dict(evaluation.hardware),
        machine_class=machine_class,
        provider=evaluation.engine.provider,
        not_loaded=evaluation.engine.not_loaded,
        generates_on=evaluation.language.providers,
        speeds=evaluation.speeds,
    )


def measure(progress: Progress = lambda _: None, machine_class: MachineClass = MachineClass.PERSONAL) -> Measurement:
    """Measure this device, for the platform; see :func:`evaluate_device` for what it takes and raises."""
    return measurement_of(evaluate_device(progress), machine_class)
