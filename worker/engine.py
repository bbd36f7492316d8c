"""Which ONNX Runtime is installed here, and what it really runs on; which engine for language models."""

from collections.abc import Callable, Sequence
from importlib import metadata

from pydantic import BaseModel, ConfigDict

from models import genai
from models.measurement import Gpu, Maker, plain
from models.on_gpu import CUDA, DIRECTML, MIGRAPHX
from models.runtime import CPU, Provider, flavours
from starai.errors import EngineMissing, ModelError
from worker.benchmark.run import load_probe

# What each flavour is installed for; the plain one is for the processor.
_ACCELERATORS = {
    "onnxruntime-gpu": CUDA,
    "onnxruntime-directml": DIRECTML,
    "onnxruntime-migraphx": MIGRAPHX,
}
# Providers that count the GPUs of one maker, and are told by number which one to use.
_COUNT = {CUDA: Maker.NVIDIA, MIGRAPHX: Maker.AMD}

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


class LanguageEngine(BaseModel):
    """The installed onnxruntime-genai; of one that cannot be used only why, in ``missing``.

    Attributes:
        providers: the execution providers that it runs language models on here.
    """

    model_config = ConfigDict(frozen=True)

    flavour: str = ""
    version: str = ""
    providers: tuple[str, ...] = ()
    missing: str | None = None


def find_engine() -> Engine:
    """Load a small graph on what the installed flavour is for, and on the processor where that fails.

    Raises:
        EngineMissing: there is no usable ONNX Runtime; the message says what to install.
    """
    load_probe(threads=1)
    (flavour,) = flavours()
    found = Engine(flavour=flavour, version=metadata.version(flavour), provider=CPU[0])
    wanted = accelerator()
    if wanted is None:
        return found
    if why := _why_not(_load, wanted):
        return found.model_copy(update={"not_loaded": why})
    return found.model_copy(update={"provider": wanted})


def find_language_engine(engine: Engine) -> LanguageEngine:
    """Look for the engine for language models, beside what ONNX Runtime really runs on. It loads no model."""
    try:
        found = genai.find()
    except EngineMissing as error:
        return LanguageEngine(missing=str(error))
    providers = tuple(provider for provider in found.providers if provider in (engine.provider, *CPU))
    return LanguageEngine(flavour=found.flavour, version=found.version, providers=providers)


def accelerator() -> str | None:
    """Return the execution provider that the installed flavour is for; ``None`` for the processor alone."""
    installed = flavours()
    return next((provider for flavour, provider in _ACCELERATORS.items() if flavour in installed), None)


def numbers(provider: str, gpus: Sequence[Gpu]) -> dict[int, int]:
    """Return the provider's own number of each GPU that it counts, by the place among all that were found."""
    counted = [place for place, gpu in enumerate(gpus) if gpu.maker is _COUNT.get(provider) and gpu.fault is None]
    return {place: number for number, place in enumerate(counted)}


def try_gpus(provider: str, gpus: Sequence[Gpu], load: Load | None = None) -> tuple[Gpu, ...]:
    """Return the GPUs, with a fault for each that the engine cannot load a graph on.

    Only a provider that is told by number which GPU to use can be tried on each; of the others, one has loaded.
    """
    number = numbers(provider, gpus)
    return tuple(
        _tried(gpu, provider, number[place], load or _load) if place in number else gpu
        for place, gpu in enumerate(gpus)
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
