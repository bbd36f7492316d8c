"""Where this device runs what it was given: a deployment's GPU, as a model's process is told to use it."""

from collections.abc import Callable

import psutil

from models.measurement import Gpu
from models.on_gpu import OnGpu
from starai.errors import EngineMissing
from tasks.deployment import Deployment
from worker.engine import accelerator, numbers
from worker.gpus import find_gpus


def gpu_of(deployment: Deployment, find: Callable[[], tuple[Gpu, ...]] | None = None) -> OnGpu | None:
    """Return the GPU that a deployment is for; ``None`` for the processor.

    Args:
        deployment: the model, and where it was planned.
        find: returns the GPUs of this machine; they are looked for if not given.

    Raises:
        EngineMissing: the GPU is not there, or the installed engine is for none.
    """
    if deployment.gpu is None:
        return None
    provider, found = accelerator(), (find or _find)()
    if provider is None:
        raise EngineMissing(
            f"The model {deployment.model} is to run on a GPU, and the installed ONNX Runtime is for none. Install "
            "the one that this device joined with, or join again."
        )
    if deployment.gpu >= len(found) or found[deployment.gpu].fault:
        raise EngineMissing(
            f"The model {deployment.model} is to run on GPU {deployment.gpu}, which is not there or not sound. Look at "
            "its driver, or join again."
        )
    number = numbers(provider, found).get(deployment.gpu)
    return OnGpu(provider=provider, number=number, memory_bytes=deployment.memory_bytes)


def _find() -> tuple[Gpu, ...]:
    return find_gpus(psutil.virtual_memory().total)
