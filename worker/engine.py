"""Which ONNX Runtime is installed here, and what it really runs on."""

from importlib import metadata

from pydantic import BaseModel, ConfigDict

from models.runtime import CPU, flavours
from starai.errors import ModelError
from worker.benchmark.run import load_probe

# What each flavour is installed for; the plain one is for the processor.
_ACCELERATORS = {"onnxruntime-gpu": "CUDAExecutionProvider", "onnxruntime-directml": "DmlExecutionProvider"}


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
    try:
        load_probe(threads=1, providers=(accelerator, *CPU))
    except ModelError as error:
        return found.model_copy(update={"not_loaded": str(error)})
    return found.model_copy(update={"provider": accelerator})
