import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from models.runtime import CPU, cuda, flavours, new_session, require_one
from starai.errors import EngineMissing, ModelError


def doubling_graph() -> bytes:
    """``y = x + x`` for rows of two numbers."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    serialized: bytes = model.SerializeToString()
    return serialized


def test_a_graph_runs(tmp_path: Path):
    session = new_session(doubling_graph(), tmp_path, CPU, threads=1)
    assert session.width == 2
    np.testing.assert_array_equal(session.run({"x": np.ones((3, 2), np.float32)}), np.full((3, 2), 2))


def test_an_input_of_the_wrong_shape_is_a_model_error_and_the_session_lives_on(tmp_path: Path):
    session = new_session(doubling_graph(), tmp_path, CPU, threads=1)
    with pytest.raises(ModelError, match="failed while it ran"):
        session.run({"x": np.ones((3, 5), np.float32)})
    assert session.run({"x": np.ones((3, 2), np.float32)}).shape == (3, 2)


def test_a_graph_that_is_none_is_a_model_error(tmp_path: Path):
    with pytest.raises(ModelError, match="could not load"):
        new_session(b"no graph", tmp_path, CPU, threads=1)


def test_a_provider_that_the_engine_does_not_have_is_refused(tmp_path: Path):
    with pytest.raises(EngineMissing, match=r"cannot use NoSuchExecutionProvider here, only .*CPUExecutionProvider"):
        new_session(doubling_graph(), tmp_path, ["NoSuchExecutionProvider", *CPU], threads=1)


def test_a_provider_that_the_engine_has_and_silently_leaves_out_is_refused(tmp_path: Path, monkeypatch):
    """As one does that lacks its driver: the engine then runs on the processor, with no more than a warning."""
    made = onnxruntime.InferenceSession

    def on_the_processor(graph, options, providers, **more):
        return made(graph, options, providers=[*CPU], **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", on_the_processor)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["DmlExecutionProvider", *CPU])
    with pytest.raises(EngineMissing, match="cannot use DmlExecutionProvider here, only CPUExecutionProvider"):
        new_session(doubling_graph(), tmp_path, ["DmlExecutionProvider", *CPU], threads=1)


def test_a_provider_that_fails_in_the_middle_is_an_error_and_not_gone_on_without(tmp_path: Path, monkeypatch):
    session = new_session(doubling_graph(), tmp_path, CPU, threads=1)
    sound = session._session._sess

    class Failing:
        def __getattr__(self, name):
            return getattr(sound, name)

        def run(self, *_):
            raise onnxruntime.capi.onnxruntime_pybind11_state.EPFail("the GPU is gone")

    monkeypatch.setattr(session._session, "_sess", Failing())
    with pytest.raises(ModelError, match="the GPU is gone"):
        session.run({"x": np.ones((3, 2), np.float32)})


def test_a_provider_may_have_options(tmp_path: Path):
    provider = ("CPUExecutionProvider", {"use_arena": "0"})
    session = new_session(doubling_graph(), tmp_path, [provider], threads=1)
    assert session.run({"x": np.ones((1, 2), np.float32)}).shape == (1, 2)


def test_the_memory_of_a_gpu_is_limited_to_what_is_lent():
    (provider, options), processor = cuda(6 * 10**9, gpu=1)
    assert (provider, processor) == ("CUDAExecutionProvider", *CPU)
    assert options == {
        "device_id": "1",
        "gpu_mem_limit": "6000000000",
        "arena_extend_strategy": "kSameAsRequested",
    }


def test_where_nobody_said_how_much_is_lent_the_memory_of_a_gpu_is_not_limited():
    assert "gpu_mem_limit" not in cuda(None)[0][1]


def test_a_provider_with_options_is_refused_by_its_name(tmp_path: Path):
    with pytest.raises(EngineMissing, match="cannot use NoSuchExecutionProvider here"):
        new_session(doubling_graph(), tmp_path, [("NoSuchExecutionProvider", {"device_id": "0"}), *CPU], threads=1)


def test_no_engine_is_refused_with_the_command_that_installs_one():
    with pytest.raises(EngineMissing, match=r"pip install 'starai\[cpu\]'"):
        require_one(set())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a distribution, as far as its records go, that writes one file."""

    def record(name: str, file: str) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "RECORD").write_text(f"{file},,\n")
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).touch()  # Python 3.12 leaves out what a record names and is not there
        monkeypatch.syspath_prepend(str(tmp_path))
        flavours.cache_clear()

    yield record
    flavours.cache_clear()


def test_two_flavours_are_refused_with_the_command_that_removes_them(
    install: Callable[[str, str], None], tmp_path: Path
):
    install("onnxruntime-gpu", "onnxruntime/provider.py")  # without __init__.py it hides no other
    with pytest.raises(EngineMissing, match=r"2 flavours.*pip uninstall onnxruntime onnxruntime-gpu"):
        new_session(doubling_graph(), tmp_path, CPU, threads=1)


def test_a_plugin_beside_the_engine_is_no_second_flavour(install: Callable[[str, str], None]):
    install("onnxruntime-ep-webgpu", "onnxruntime_ep_webgpu/__init__.py")
    assert flavours() == {"onnxruntime"}


def test_no_telemetry_appears(tmp_path: Path):
    """In a process with a home of its own: the engine adds no thread, and no folder."""
    (tmp_path / "double.onnx").write_bytes(doubling_graph())
    code = (
        "import sys, numpy, psutil; from pathlib import Path; me = psutil.Process(); before = me.num_threads()\n"
        "from models.runtime import CPU, new_session\n"
        "session = new_session(Path(sys.argv[1]).read_bytes(), Path(), CPU, threads=1)\n"
        "session.run({'x': numpy.ones((3, 2), numpy.float32)})\n"
        "print(me.num_threads() - before)"
    )
    home = tmp_path / "home"
    home.mkdir()
    variables = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        variables[name] = str(home)
    command = [sys.executable, "-c", code, str(tmp_path / "double.onnx")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
    assert list(home.rglob("*")) == []
