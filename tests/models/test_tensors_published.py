"""Models and graphs that others made, with what they say should come out."""

import importlib
import os
import pkgutil
import warnings
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test.case.node as onnx_cases
import platformdirs
import pytest

from models.entry import CatalogueEntry
from models.graph import open_graph
from models.host import ModelHost
from models.runtime import CPU, import_engine
from models.store import ModelStore
from models.tensors import TensorEngine
from starai.errors import ModelError

# Their cases alone take seconds to make.
_SLOW = {"averagepool", "lppool", "maxpool"}
# Where ONNX Runtime 1.32 gives something else than ONNX says, by the beginnings of the cases' names.
_ELSE = (
    "test_training_dropout",  # drawn at random
    "test_dft",  # less exact
    "test_stft",
    "test_attention_4d_causal_fp16",
    "test_attention_4d_diff_heads_mask4d_padded_kv",
    "test_attention_4d_with_past_and_present_qk_matmul_bias",
    "test_convinteger_with_padding",
    "test_maxunpool_export_with_output_shape",
    "test_reduce_max_empty_set_bool",
    "test_resize_downsample_scales",
)


def all_cases():
    """Return ONNX's own cases of its operators: small graphs, with inputs and outputs."""
    for module in pkgutil.iter_modules(onnx_cases.__path__):
        if not module.ispkg and module.name not in _SLOW:
            importlib.import_module(f"{onnx_cases.__name__}.{module.name}")
    return onnx_cases._NodeTestCases


def array_of(value) -> np.ndarray:
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def loaded(engine, model, file: Path) -> TensorEngine | None:
    """Return a case's graph, if the engine has its operators and it takes and gives what can be sent."""
    file.write_bytes(model.SerializeToString())
    with suppress(ModelError):
        return TensorEngine(open_graph(engine, file, CPU, threads=1, most_bytes=10**9))
    return None


def is_right(graph: TensorEngine, case) -> bool:
    (inputs, outputs), declared = case.data_sets[0], case.model.graph
    given = {one.name: array_of(value) for one, value in zip(declared.input, inputs, strict=True)}
    made = graph.begin(given).outputs()
    wanted = {one.name: array_of(value) for one, value in zip(declared.output, outputs, strict=True)}
    return made.keys() == wanted.keys() and all(
        made[name].dtype == array.dtype
        and made[name].shape == array.shape
        and np.allclose(made[name], array, rtol=case.rtol, atol=1e-5, equal_nan=True)
        for name, array in wanted.items()
    )


def test_operators_give_what_those_who_define_them_say(tmp_path):
    with warnings.catch_warnings(action="ignore"):
        cases, engine = all_cases(), import_engine()
    tried, wrong = 0, []
    for case in cases:
        if not case.name.startswith(_ELSE) and (graph := loaded(engine, case.model, tmp_path / "model.onnx")):
            tried += 1
            if not is_right(graph, case):
                wrong.append(case.name)

    assert wrong == []
    assert tried > 1400


SILERO = {
    "name": "silero-vad",
    "kind": "tensors",
    "parameters": 545_601,
    "weight_bytes": 5_173_242,
    "licence": "MIT",
    "source": {
        "type": "pypi",
        "package": "silero-vad",
        "version": "6.2.3",
        "folder": "silero_vad/data",
        "wheel": {
            "path": "silero_vad-6.2.3-py3-none-any.whl",
            "size": 11_317_527,
            "sha256": "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
        },
    },
    "files": [
        {
            "path": "silero_vad.onnx",
            "size": 2_327_524,
            "sha256": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        },
        {
            "path": "silero_vad_op18_ifless.onnx",
            "size": 2_845_718,
            "sha256": "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28",
        },
    ],
}


@pytest.fixture(scope="module")
def silero_folder() -> Path:
    """A published model that tells where somebody speaks, fetched once for all test runs of this machine."""
    chosen = os.environ.get("STARAI_TEST_MODELS")
    shared = Path(chosen) if chosen else platformdirs.user_cache_path("starai-test-models", appauthor=False)
    return ModelStore(shared).ensure(CatalogueEntry.model_validate(SILERO | {"onnx_file": "silero_vad.onnx"}))


def speech(host: ModelHost, sound: np.ndarray) -> np.ndarray:
    """Return how likely each 32 ms of a sound are speech: the model takes them in turn, with its state."""
    state, before, heard = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32), []
    for part in sound.astype(np.float32).reshape(-1, 512):
        window = np.concatenate([before, part])[None]
        made = host.compute({"input": window, "state": state, "sr": np.array(16_000)}, 60)
        state, before = made["stateN"], part[-64:]
        heard.append(made["output"].item())
    return np.array(heard)


def vowel(samples: int) -> np.ndarray:
    """Return an "ah": pulses of 120 a second through the resonances of a throat."""
    sound = np.diff(np.floor(np.arange(samples) * 120 / 16_000), prepend=0)
    for pitch, width in ((700, 80), (1220, 90), (2600, 120)):
        pole = np.exp(np.pi * (2j * pitch - width) / 16_000)
        tail = (pole ** np.arange(1, 1001)).imag / pole.imag
        sound = np.convolve(sound, tail)[:samples]
    return 0.3 * sound / np.abs(sound).max()


@pytest.mark.process
def test_a_published_model_hears_speech_and_silence_and_its_two_graphs_agree(silero_folder):
    heard = []
    for file in ("silero_vad.onnx", "silero_vad_op18_ifless.onnx"):
        entry = CatalogueEntry.model_validate(SILERO | {"onnx_file": file})
        with closing(ModelHost(entry, silero_folder, threads=1)) as host:
            listen = partial(speech, host)
            heard.append(listen(vowel(8192)))
            assert listen(np.zeros(8192)).max() < 0.05

    assert heard[0].max() > 0.5
    np.testing.assert_allclose(heard[0], heard[1], atol=1e-4)
