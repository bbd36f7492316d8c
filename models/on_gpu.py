"""A GPU, as a model's process is told to run on it, and how each engine is told so."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from models.runtime import CPU, Provider, cuda
from starai.errors import EngineMissing

CUDA, DIRECTML, MIGRAPHX = "CUDAExecutionProvider", "DmlExecutionProvider", "MIGraphXExecutionProvider"

#: Bytes that the driver takes for a process, beside what the engine's own limit counts; of the plan's overhead.
DRIVER_BYTES = 5 * 10**8

# By which variable a process sees one GPU alone.
_SEES = {CUDA: "CUDA_VISIBLE_DEVICES", MIGRAPHX: "HIP_VISIBLE_DEVICES"}
# What onnxruntime-genai calls the providers that it has.
_GENAI = {CUDA: "cuda"}


class OnGpu(BaseModel):
    """A GPU, and how much of it.

    Attributes:
        provider: the execution provider that runs on it.
        number: which of its GPUs, as the provider counts them; ``None`` where it chooses by itself.
        memory_bytes: what the model may take there; ``None`` where nobody said.
    """

    model_config = ConfigDict(frozen=True)

    provider: str
    number: int | None = None
    memory_bytes: int | None = None

    @property
    def providers(self) -> tuple[Provider, ...]:
        """What ONNX Runtime is told, in a process that has this GPU's :meth:`environment`."""
        if self.provider == CUDA:
            return cuda(self._limit)
        if self.provider == DIRECTML:
            return ((DIRECTML, {"performance_preference": "high_performance", "device_filter": "gpu"}), *CPU)
        return ((self.provider, {"device_id": "0"}), *CPU)

    @property
    def genai(self) -> tuple[str, Mapping[str, str]] | None:
        """What onnxruntime-genai is told, likewise; ``None`` where it has no such provider."""
        name, told = _GENAI.get(self.provider), self.providers[0]
        return None if name is None or isinstance(told, str) else (name, told[1])

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables by which a process sees this GPU alone, as its number 0.

        A number in an engine's options would not do: onnxruntime-genai keeps some of its memory on the first GPU. Where
        the owner lets this process see some GPUs only, the number counts those.

        Raises:
            EngineMissing: the owner hides that GPU.
        """
        variable = _SEES.get(self.provider)
        if variable is None or self.number is None:
            return {}
        if variable not in variables:
            return {variable: str(self.number)}
        seen = [gpu.strip() for gpu in variables[variable].split(",") if gpu.strip()]
        if self.number >= len(seen):
            raise EngineMissing(f"GPU {self.number} is hidden by {variable}={variables[variable]!r}. Join again.")
        return {variable: seen[self.number]}

    @property
    def _limit(self) -> int | None:
        return None if self.memory_bytes is None else max(self.memory_bytes - DRIVER_BYTES, 0)
