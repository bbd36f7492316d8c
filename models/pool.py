"""Where models can run on a device: the processor, and each GPU that the engine really uses."""

from dataclasses import dataclass

from models import browser
from models.entry import CatalogueEntry, Kind
from models.gpu_bandwidth import gpu_bandwidth
from models.measurement import Gpu, Maker, Measurement
from models.share import Share

#: Bytes beside a model's weights and context that its process takes: the engine, its kernels, and working memory.
GPU_OVERHEAD = 10**9
CPU_OVERHEAD = 5 * 10**8

_CPU = "CPUExecutionProvider"
# Whose GPUs each execution provider runs on.
_RUNS_ON = {
    "CUDAExecutionProvider": {Maker.NVIDIA},
    "MIGraphXExecutionProvider": {Maker.AMD},
    "ROCMExecutionProvider": {Maker.AMD},
    "DmlExecutionProvider": {Maker.NVIDIA, Maker.AMD, Maker.INTEL, Maker.OTHER},
}
# DirectML chooses one GPU by itself: asked for high performance, the one with memory of its own.
_CHOOSES = "DmlExecutionProvider"


@dataclass(frozen=True)
class Pool:
    """Memory that models share, with the speed at which they are read.

    Attributes:
        name: what it is called in sentences.
        gpu: its place among the measurement's GPUs; ``None`` for the processor.
        provider: the execution provider that runs on it.
        lent_bytes: what the owner lends of it.
        overhead_bytes: what each model takes there beside its weights and context.
        gb_per_s: how fast it is read, 10^9 bytes a second.
        slots: how many tasks run there at once, over all its models; ``None``: as many as there is memory for.
    """

    name: str
    gpu: int | None
    provider: str
    lent_bytes: int
    overhead_bytes: int
    gb_per_s: float
    slots: int | None = None


def pools(measured: Measurement, share: Share) -> list[Pool]:
    """Return where models can run: the GPUs that count, then the processor with all threads that were measured.

    Of main memory no more is lent than was available, so that the machine never begins to swap. A page in a browser has
    but one place: itself.
    """
    on_gpus = [
        Pool(
            name=gpu.name,
            gpu=place,
            provider=measured.provider,
            lent_bytes=int(gpu.memory_bytes * share.memory),
            overhead_bytes=GPU_OVERHEAD,
            gb_per_s=gpu_bandwidth(gpu.name),
        )
        for place, gpu in enumerate(measured.gpus)
        if unused(measured, place) is None
    ]
    lent = min(int(measured.memory_bytes * share.memory), measured.memory_available_bytes)
    gb_per_s = measured.speeds[-1].gb_per_s
    if measured.provider == browser.BROWSER:
        return [Pool("the phone", None, browser.BROWSER, lent, browser.OVERHEAD, gb_per_s, browser.SLOTS)]
    return [*on_gpus, Pool("the processor", None, _CPU, lent, CPU_OVERHEAD, gb_per_s)]


def runs_on(entry: CatalogueEntry, measured: Measurement, pool: Pool) -> bool:
    """Tell whether the device has an engine for such a model there."""
    if pool.provider == browser.BROWSER:
        return browser.runs_in_browser(entry)
    return entry.kind is not Kind.GENERATE or pool.provider in measured.generates_on


def unused(measured: Measurement, place: int) -> str | None:
    """Return in a sentence why the engine does not use that GPU; ``None`` when it does."""
    gpu = measured.gpus[place]
    if gpu.fault:
        return f"{gpu.name} is not used: {gpu.fault.rstrip('.')}."
    if gpu.maker not in _RUNS_ON.get(measured.provider, ()):
        why = f": {measured.not_loaded.rstrip('.')}" if measured.not_loaded else ", which does not run on it"
        return f"{gpu.name} is not used: the engine loaded {measured.provider}{why}."
    if measured.provider == _CHOOSES and place != _chosen(measured.gpus):
        return f"{gpu.name} is not used: {_CHOOSES} runs on one GPU, the one with the most memory."
    return None


def _chosen(gpus: tuple[Gpu, ...]) -> int:
    sound = [place for place, gpu in enumerate(gpus) if gpu.fault is None]
    return max(sound, key=lambda place: gpus[place].memory_bytes)
