"""Which ONNX Runtime is installed here, and what it really runs on."""

from collections.abc import Callable, Sequence
from importlib import metadata

from pydantic import BaseModel, ConfigDict

from models.measurement import Gpu, Maker, plain
from models.runtime import CPU, Provider, flavours
from starai.errors import ModelError
from worker.benchmark.run import load_probe

# What each flavour is installed for; the plain one is for the processor.
_ACCELERATORS = {
    "onnxruntime-gpu": "CUDAExecutionProvider",
    "onnxruntime-directml": "DmlExecutionProvider",
    "onnxruntime-migraphx": "MIGraphXExecutionProvider",
}
# Providers that count the GPUs of one maker, and are told by number which one to use.
_COUNT = {"CUDAExecutionProvider": Maker.NVIDIA, "MIGraphXExecutionProvider": Maker.AMD}

#: Loads a small graph on the providers; raises ModelError where it cannot.
Load = Callable[[Sequence[Provider]], object]


class Engine(BaseModel):
    """The installed ONNX Runtime.

    Attributes:
        flavour: the name of its distribution.
        version: its version.
        provider: the execution provider that loaded a graph here, the best of those that the flavour has.
        not_loaded: why the flavour's accelerator did not load, where it did not.
    """

    model_config = ConfigDict(frozen=True)

    flavour: str
    version: str
    provider: str
    not_loaded: str | None = None


def find_engine() -> Engine:
    """Load a small graph on what the installed flavour is for, and on the processor where that fails.

    Raises:
        EngineMissing: there is no usable ONNX Runtime; the message says what to install.
    """
    load_probe(threads=1)
    (flavour,) = flavours()
    found = Engine(flavour=flavour, version=metadata.version(flavour), provider=CPU[0])
    accelerator = _ACCELERATORS.get(flavour)
    if accelerator is None:
        return found
    if why := _why_not(_load, accelerator):
        return found.model_copy(update={"not_loaded": why})
    return found.model_copy(update={"provider": accelerator})


def try_gpus(provider: str, gpus: Sequence[Gpu], load: Load | None = None) -> tuple[Gpu, ...]:
    """Return the GPUs, with a fault for each that the engine cannot load a graph on.

    Only a provider that is told by number which GPU to use can be tried on each; of the others, one has loaded.
    """
    numbers = iter(range(len(gpus)))
    return tuple(
        _tried(gpu, provider, next(numbers), load or _load)
        if gpu.maker is _COUNT.get(provider) and gpu.fault is None
        else gpu
        for gpu in gpus
    )


def _tried(gpu: Gpu, provider: str, number: int, load: Load) -> Gpu:
    why = _why_not(load, (provider, {"device_id": str(number)}))
    return gpu.model_copy(update={"fault": why}) if why else gpu


def _why_not(load: Load, accelerator: Provider) -> str | None:
    try:
        load((accelerator, *CPU))
    except ModelError as error:
        return plain(str(error))
    return None


def _load(providers: Sequence[Provider]) -> object:
    return load_probe(threads=1, providers=providers)
