"""The engine for any ONNX model, in this process."""

import time
from threading import Timer

import numpy as np
import onnx
import pytest
from onnx import external_data_helper, numpy_helper

from models.graph import Graph
from models.runtime import CPU, import_engine, open_session, session_options
from models.tensors import load_tensors
from starai.errors import BadInput, ModelError
from tests.models.graphs import ADD, EXPAND, TIMES, model_of, tensors_entry

ROWS, B = np.ones((3, 2), "f4"), np.array([1, 2], "f4")


@pytest.fixture
def load(tmp_path):
    return lambda text: load_tensors(tensors_entry(tmp_path, text), tmp_path, threads=1)


def test_arrays_go_in_and_out_by_their_names(load):
    made = load(ADD).begin({"b": B, "x": ROWS}).outputs()

    assert made.keys() == {"y", "total"}
    np.testing.assert_array_equal(made["y"], [[2, 3]] * 3)
    assert (made["total"].shape, made["total"].dtype, made["total"].item()) == ((), np.float32, 15)


def test_arrays_may_be_of_no_elements(load):
    assert load(ADD).begin({"x": ROWS[:0], "b": B}).outputs()["y"].shape == (0, 2)


def test_an_array_that_is_not_what_the_graph_declares_is_refused_before_it_runs(load):
    with pytest.raises(
        BadInput, match=r"'x' is float64 of shape \(3, 2\); the model takes float32 of shape \(rows, 2\)"
    ):
        load(ADD).begin({"x": ROWS.astype("f8"), "b": B})


def test_what_is_no_arrays_is_refused_with_what_is_taken(load):
    with pytest.raises(BadInput, match=r"takes named arrays.*It takes 'x', float32 of shape \(rows, 2\); 'b', float32"):
        load(ADD).begin(["a text"])


def test_arrays_that_no_task_could_carry_are_refused(load):
    with pytest.raises(BadInput, match=r"have 10,666,\d{3} bytes as they are sent; the most is 8,388,608"):
        load(ADD).begin({"x": np.zeros((10**6, 2), "f4"), "b": B})


@pytest.mark.parametrize(
    ("graph", "arrays"),
    [
        (
            "g (float[n] x, float[m] y) => (float[k] z) { z = Add(x, y) }",
            {"x": np.ones(3, "f4"), "y": np.ones(2, "f4")},
        ),
        (
            "g (float[n] x, int64[m] i) => (float[k] z) { z = Gather(x, i) }",
            {"x": np.ones(3, "f4"), "i": np.array([7])},
        ),
        ("g (float[n] x, int64[m] s) => (float[] z) { z = Reshape(x, s) }", {"x": ROWS[0], "s": np.array([7])}),
        (
            "g (int32[n] x, int32[n] y) => (int32[n] z) { z = Div(x, y) }",
            {"x": np.ones(1, "i4"), "y": np.zeros(1, "i4")},
        ),
        (EXPAND, {"x": np.ones(1, "f4"), "shape": np.array([-5])}),
        (EXPAND, {"x": np.ones(1, "f4"), "shape": np.array([2**62])}),
    ],
)
def test_what_the_graph_cannot_do_with_is_its_submitters_fault_and_the_engine_goes_on(load, graph, arrays):
    engine = load(graph)
    for _ in range(2):
        with pytest.raises(BadInput, match=r"cannot do with these arrays: \w+ node"):
            engine.begin(arrays).outputs()


def test_a_result_that_could_not_be_sent_is_refused(load):
    engine = load(EXPAND)
    with pytest.raises(BadInput, match=r"would have 10,666,668 bytes; the most is 8,388,608"):
        engine.begin({"x": B[:1], "shape": np.array([2_000_000])}).outputs()
    with pytest.raises(BadInput, match="'y' has 9 dimensions"):
        engine.begin({"x": B[:1], "shape": np.ones(9, "i8")}).outputs()
    assert engine.begin({"x": B[:1], "shape": np.array([2, 3])}).outputs()["y"].shape == (2, 3)


@pytest.mark.parametrize("size", [3 * 10**8, 10**13])
def test_a_request_that_would_take_all_memory_is_refused(load, size):
    with pytest.raises(BadInput, match=r"more memory for these arrays than it may\. Send less"):
        load(EXPAND).begin({"x": B[:1], "shape": np.array([size])}).outputs()


def test_what_one_request_took_leaves_no_less_for_the_next(load):
    engine = load(
        "g (float[n] x, int64[rank] shape) => (float y) { z = Expand(x, shape) y = ReduceSum<keepdims = 0>(z) }"
    )
    for size in (8 * 10**7, 10**8, 14 * 10**7, 9 * 10**7):
        assert engine.begin({"x": np.zeros(1, "f4"), "shape": np.array([size])}).outputs() == {"y": 0}


def test_a_run_is_stopped_between_two_nodes_and_the_engine_goes_on(load):
    engine = load(TIMES)
    run = engine.begin({"x": B, "times": np.array(10**12)})
    timer, began = Timer(0.2, run.stop), time.monotonic()
    timer.start()

    with pytest.raises(ModelError, match="was stopped"):
        run.outputs()

    assert time.monotonic() - began < 60
    np.testing.assert_array_equal(engine.begin({"x": B, "times": np.array(2)}).outputs()["y"], 3 * B)


def test_a_run_that_is_stopped_before_it_begins_does_not_begin(load):
    run = load(TIMES).begin({"x": B, "times": np.array(10**12)})
    run.stop()

    with pytest.raises(ModelError, match="was stopped"):
        run.outputs()


def test_weights_may_lie_beside_the_graph(tmp_path):
    model = model_of("g (float[2] x) => (float[2] y) { y = Add(x, w) }")
    model.graph.initializer.append(numpy_helper.from_array(B, "w"))
    external_data_helper.convert_model_to_external_data(model, location="w.bin", size_threshold=0)
    (tmp_path / "onnx").mkdir()
    onnx.save(model, tmp_path / "onnx" / "g.onnx")
    assert (tmp_path / "onnx" / "w.bin").stat().st_size == B.nbytes

    engine = load_tensors(tensors_entry(tmp_path, file="onnx/g.onnx"), tmp_path, threads=1)

    np.testing.assert_array_equal(engine.begin({"x": B}).outputs()["y"], 2 * B)


@pytest.mark.parametrize(
    "graph",
    [
        "g (string[n] words) => (string[n] y) { y = Identity(words) }",
        "g (float[n] x) => (string[n] y) { y = Cast<to = 8>(x) }",
        "g (float[n] x) => (seq(float[n]) y) { y = SequenceConstruct(x) }",
        "g (float[n] x) => (bfloat16[n] y) { y = Cast<to = 16>(x) }",
    ],
)
def test_a_graph_that_takes_or_gives_what_cannot_be_sent_is_not_loaded(load, graph):
    with pytest.raises(ModelError, match=r"cannot be used: its '\w+' is .*Convert the model"):
        load(graph)


def test_a_graph_that_is_not_where_the_entry_says_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match=r"has no file model\.onnx\. Say in its entry, by onnx_file"):
        load_tensors(tensors_entry(tmp_path), tmp_path, threads=1)


def test_a_file_that_is_no_graph_is_an_error(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="could not load"):
        load_tensors(tensors_entry(tmp_path), tmp_path, threads=1)


class _OnGpu:
    """The engine's session, as it would be where some of the graph is on a GPU."""

    def __init__(self, session) -> None:
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def get_providers(self):
        return ["CUDAExecutionProvider", *CPU]


def test_on_a_gpu_what_fails_may_be_the_gpus_fault(tmp_path):
    engine = import_engine()
    tensors_entry(tmp_path, "g (float[n] x, float[m] y) => (float[k] z) { z = Add(x, y) }")
    session = open_session(engine, str(tmp_path / "model.onnx"), session_options(engine, CPU, 1), CPU)
    graph = Graph(engine, _OnGpu(session))

    with pytest.raises(ModelError, match="failed while it ran"):
        graph.run({"x": np.ones(3, "f4"), "y": np.ones(2, "f4")}).outputs()
