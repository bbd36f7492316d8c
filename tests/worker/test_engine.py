"""On which GPUs the engine really loads: each is tried, and one that fails has a fault."""

from collections.abc import Sequence

from models.measurement import Gpu, Maker
from models.runtime import Provider
from starai.errors import EngineMissing
from worker.engine import try_gpus

AMD = Gpu(maker=Maker.AMD, name="amd", memory_bytes=1)
BROKEN, FIRST, SECOND = (
    Gpu(maker=Maker.NVIDIA, name=name, memory_bytes=1, fault=fault)
    for name, fault in (("broken", "lost"), ("first", None), ("second", None))
)
CUDA = "CUDAExecutionProvider"


class Loads:
    """An engine that loads on the first GPU alone, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Provider] = []

    def __call__(self, providers: Sequence[Provider]) -> object:
        self.asked.append(providers[0])
        if providers[0] != (CUDA, {"device_id": "0"}):
            raise EngineMissing("CUDA error 100:\nno device")
        return None


def test_a_gpu_that_the_engine_cannot_load_on_has_a_fault() -> None:
    assert try_gpus(CUDA, [AMD, FIRST, SECOND], Loads()) == (
        AMD,
        FIRST,
        SECOND.model_copy(update={"fault": "CUDA error 100: no device"}),
    )


def test_gpus_of_other_makers_and_broken_ones_are_not_tried() -> None:
    loads = Loads()
    assert try_gpus(CUDA, [AMD, BROKEN, FIRST], loads) == (AMD, BROKEN, FIRST)
    assert loads.asked == [(CUDA, {"device_id": "0"})]


def test_a_provider_that_chooses_by_itself_is_not_told_which() -> None:
    loads = Loads()
    assert try_gpus("DmlExecutionProvider", [AMD, FIRST], loads) == (AMD, FIRST)
    assert try_gpus("CPUExecutionProvider", [AMD, FIRST], loads) == (AMD, FIRST)
    assert loads.asked == []


def test_a_gpu_that_this_engine_does_not_have_has_a_fault_with_the_engines_reason() -> None:
    (gpu,) = try_gpus(CUDA, [FIRST])
    assert gpu.fault is None or "CUDAExecutionProvider" in gpu.fault
