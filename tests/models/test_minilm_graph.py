import onnx

from models.minilm.build import GRAPH, build
from tests.models.conftest import StoredModel


def test_the_committed_graph_is_what_the_script_builds(minilm: StoredModel):
    assert onnx.load_model_from_string(GRAPH.read_bytes()) == build(minilm.folder)


def test_the_graph_holds_no_weights_of_its_own(minilm: StoredModel):
    graph = onnx.load_model_from_string(GRAPH.read_bytes()).graph
    inside = [tensor for tensor in graph.initializer if not tensor.external_data]
    assert GRAPH.stat().st_size < 40_000
    assert sum(len(tensor.raw_data) for tensor in inside) < 200


def test_every_external_tensor_lies_inside_the_weights_file(minilm: StoredModel):
    size = (minilm.folder / "model.safetensors").stat().st_size
    for tensor in onnx.load_model_from_string(GRAPH.read_bytes()).graph.initializer:
        where = {entry.key: entry.value for entry in tensor.external_data}
        if where:
            assert where["location"] == "model.safetensors"
            assert int(where["offset"]) + int(where["length"]) <= size
