"""A model on a GPU: what its process sees, what each engine is told, and that it never runs elsewhere instead."""

from contextlib import closing

import numpy as np
import onnxruntime
import pytest

from models.genai import LanguageModel
from models.host import ModelHost
from models.on_gpu import CUDA, DIRECTML, DRIVER_BYTES, MIGRAPHX, OnGpu
from models.runtime import CPU
from starai.errors import EngineMissing, ModelError
from tests.models.tiny_models import TINY, tiny_entry

_HAS_CUDA = CUDA in onnxruntime.get_available_providers()
SECOND = OnGpu(provider=CUDA, number=1, memory_bytes=6 * 10**9)


def test_a_process_sees_its_own_gpu_alone():
    assert SECOND.environment({}) == {"CUDA_VISIBLE_DEVICES": "1"}
    assert OnGpu(provider=MIGRAPHX, number=0).environment({}) == {"HIP_VISIBLE_DEVICES": "0"}


def test_where_the_owner_shows_some_gpus_alone_those_are_counted():
    assert SECOND.environment({"CUDA_VISIBLE_DEVICES": "2, 3"}) == {"CUDA_VISIBLE_DEVICES": "3"}


@pytest.mark.parametrize("shown", ["", "2"])
def test_a_gpu_that_the_owner_hides_is_not_used(shown):
    with pytest.raises(EngineMissing, match="hidden by CUDA_VISIBLE_DEVICES"):
        SECOND.environment({"CUDA_VISIBLE_DEVICES": shown})


def test_directml_chooses_by_itself():
    gpu = OnGpu(provider=DIRECTML, number=None)
    assert gpu.environment({}) == {}
    assert gpu.providers == (
        (DIRECTML, {"performance_preference": "high_performance", "device_filter": "gpu"}),
        *CPU,
    )


def test_both_engines_are_told_the_one_gpu_that_the_process_sees_and_how_much_of_it_beside_the_driver():
    told = {
        "device_id": "0",
        "gpu_mem_limit": str(6 * 10**9 - DRIVER_BYTES),
        "arena_extend_strategy": "kSameAsRequested",
    }
    assert SECOND.providers == ((CUDA, told), *CPU)
    assert SECOND.genai == ("cuda", told)


def test_a_gpu_is_the_same_when_it_comes_to_the_process():
    assert OnGpu.model_validate_json(SECOND.model_dump_json()) == SECOND


def test_a_language_model_by_a_provider_that_its_engine_does_not_have_is_refused():
    with pytest.raises(EngineMissing, match="do not run by MIGraphXExecutionProvider"):
        LanguageModel(TINY / "tiny-llama", 1, OnGpu(provider=MIGRAPHX, number=0))


@pytest.mark.skipif(_HAS_CUDA, reason="there is one")
@pytest.mark.process
def test_a_language_model_for_a_gpu_that_is_not_there_does_not_run_on_the_processor_instead():
    with (
        closing(ModelHost(tiny_entry("tiny-llama"), TINY / "tiny-llama", 1, SECOND)) as host,
        pytest.raises(ModelError, match=r"could not be loaded: .*(?i:cuda)"),
    ):
        host.start()


@pytest.mark.skipif(_HAS_CUDA, reason="there is one")
@pytest.mark.process
def test_an_embedding_model_for_a_gpu_that_is_not_there_does_not_run_on_the_processor_instead(minilm):
    with (
        closing(ModelHost(minilm.entry, minilm.folder, 1, SECOND)) as host,
        pytest.raises(EngineMissing, match="cannot use CUDAExecutionProvider here"),
    ):
        host.start()


@pytest.mark.skipif(not _HAS_CUDA, reason="needs an NVIDIA GPU and starai[gpu]")
@pytest.mark.process
def test_an_embedding_model_says_the_same_on_a_gpu(minilm):
    first = OnGpu(provider=CUDA, number=0, memory_bytes=2 * 10**9)
    found = []
    for gpu in (first, None):
        with closing(ModelHost(minilm.entry, minilm.folder, 1, gpu)) as host:
            found.append(host.run(["The river rose over its banks that night."], 120))
    np.testing.assert_allclose(*found, atol=1e-3)
