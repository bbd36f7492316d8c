"""Where a deployment runs on this device."""

import pytest

from broker_config.tiers import Tier
from models.measurement import Gpu, Maker
from models.on_gpu import CUDA, OnGpu
from starai.errors import EngineMissing
from tasks.deployment import Deployment
from tests.models.machines import RADEON_IN_PROCESSOR, RTX_3060, RTX_3090
from worker.engine import numbers
from worker.on_gpu import gpu_of

BROKEN = Gpu(maker=Maker.NVIDIA, name="broken", memory_bytes=0, fault="lost")


def deployed(gpu: int | None) -> Deployment:
    return Deployment(model="llama3-8b", tier=Tier.MEDIUM, gpu=gpu, memory_bytes=7 * 10**9)


@pytest.fixture
def _for_nvidia(monkeypatch):
    """As where starai[gpu] is installed."""
    monkeypatch.setattr("worker.engine.flavours", lambda: {"onnxruntime-gpu"})


def test_a_model_that_was_planned_for_the_processor_runs_there():
    assert gpu_of(deployed(None)) is None


@pytest.mark.usefixtures("_for_nvidia")
def test_a_gpu_is_numbered_among_those_of_its_maker_that_are_sound():
    gpus = (RADEON_IN_PROCESSOR, BROKEN, RTX_3060, RTX_3090)
    assert numbers(CUDA, gpus) == {2: 0, 3: 1}
    assert gpu_of(deployed(3), lambda: gpus) == OnGpu(provider=CUDA, number=1, memory_bytes=7 * 10**9)


@pytest.mark.usefixtures("_for_nvidia")
@pytest.mark.parametrize("gpus", [(), (BROKEN,)])
def test_a_gpu_that_is_not_there_or_broken_is_an_error(gpus):
    with pytest.raises(EngineMissing, match="GPU 0, which is not there or not sound"):
        gpu_of(deployed(0), lambda: gpus)


def test_an_engine_for_the_processor_alone_is_an_error_and_no_reason_to_run_it_there():
    with pytest.raises(EngineMissing, match="is to run on a GPU, and the installed ONNX Runtime is for none"):
        gpu_of(deployed(0), lambda: (RTX_3060,))
