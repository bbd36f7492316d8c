"""Builds ``graph.onnx``: all-MiniLM-L6-v2 (BERT, mean pooling, L2 norm) over the weights of the original file.

Every weight in the graph is external data, at its byte offset inside ``model.safetensors``: nothing is converted
or copied, and no torch is needed. To build it again (this needs the package ``onnx``, the device does not):

    python -m models.minilm.build FOLDER

FOLDER holds the model's ``config.json`` and ``model.safetensors``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from pydantic import BaseModel

GRAPH = Path(__file__).with_name("graph.onnx")

_WEIGHTS = "model.safetensors"
_OPSET, _IR_VERSION = 20, 9
# Added to the scores of padding before the softmax: small enough to vanish, and finite also in float16.
_MASKED = -1e4


class Config(BaseModel):
    """What the graph needs to know of the model's ``config.json``."""

    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    layer_norm_eps: float


class _Slice(BaseModel):
    """Where a tensor lies in a safetensors file, counted from the end of its header."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


class Weights:
    """The tensors of a safetensors file: 8 bytes with the header's length, the header in JSON, the data."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(length))
        self._data = 8 + length
        self._slices = {name: _Slice.model_validate(where) for name, where in header.items() if name != "__metadata__"}

    def external(self, name: str) -> TensorProto:
        """Return a tensor that points into the file."""
        where = self._slices[name]
        if where.dtype != "F32":
            raise ValueError(f"{name} is {where.dtype}, and this graph computes in F32")
        begin, end = where.data_offsets
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=where.shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", _WEIGHTS), ("offset", self._data + begin), ("length", end - begin)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class GraphBuilder:
    """Collects nodes and the tensors that they use. A value is named by the node that makes it."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.nodes: list[NodeProto] = []
        self.tensors: dict[str, TensorProto] = {}

    def weight(self, name: str) -> str:
        """Use a tensor of the file."""
        self.tensors.setdefault(name, self._weights.external(name))
        return name

    def constant(self, name: str, value: Any, dtype: type = np.int64) -> str:
        """Use a small tensor that is kept in the graph."""
        self.tensors.setdefault(name, numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator and return the name of its output."""
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        """``x W^T + b``; the engine folds the transposition when it loads."""
        transposed = self.node("Transpose", self.weight(f"{name}.weight"), perm=[1, 0])
        return self.node("Add", self.node("MatMul", x, transposed), self.weight(f"{name}.bias"))

    def layer_norm(self, x: str, name: str, epsilon: float) -> str:
        """Normalise over the last axis, then scale and shift."""
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=epsilon)


def build(folder: Path) -> ModelProto:
    """Return the graph: int64 ``input_ids`` and ``attention_mask`` of shape (batch, tokens) in, float32 rows out."""
    config = Config.model_validate_json((folder / "config.json").read_text("utf-8"))
    g = GraphBuilder(Weights(folder / _WEIGHTS))
    mask = g.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    bias = _attention_bias(g, mask)
    x = _embeddings(g, config)
    for layer in range(config.num_hidden_layers):
        x = _layer(g, config, x, bias, f"encoder.layer.{layer}")
    sentence = g.node("LpNormalization", _mean(g, x, mask), axis=-1, p=2)
    return _model(g, sentence, config.hidden_size)


def _attention_bias(g: GraphBuilder, mask: str) -> str:
    """0 for tokens and a very low score for padding, shaped (batch, 1, 1, tokens)."""
    wide = g.node("Unsqueeze", mask, g.constant("axes_1_2", [1, 2]))
    padding = g.node("Sub", g.constant("one", 1, np.float32), wide)
    return g.node("Mul", padding, g.constant("masked", _MASKED, np.float32))


def _embeddings(g: GraphBuilder, config: Config) -> str:
    zero, one = g.constant("index_0", 0), g.constant("index_1", 1)
    length = g.node("Gather", g.node("Shape", "input_ids"), one, axis=0)
    words = g.node("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids", axis=0)
    positions = g.node(
        "Gather", g.weight("embeddings.position_embeddings.weight"), g.node("Range", zero, length, one), axis=0
    )
    types = g.node("Gather", g.weight("embeddings.token_type_embeddings.weight"), zero, axis=0)
    total = g.node("Add", g.node("Add", words, types), positions)
    return g.layer_norm(total, "embeddings.LayerNorm", config.layer_norm_eps)


def _layer(g: GraphBuilder, config: Config, x: str, bias: str, name: str) -> str:
    attended = g.linear(_attention(g, config, x, bias, f"{name}.attention.self"), f"{name}.attention.output.dense")
    x = g.layer_norm(g.node("Add", attended, x), f"{name}.attention.output.LayerNorm", config.layer_norm_eps)
    inner = g.node("Gelu", g.linear(x, f"{name}.intermediate.dense"))
    outer = g.linear(inner, f"{name}.output.dense")
    return g.layer_norm(g.node("Add", outer, x), f"{name}.output.LayerNorm", config.layer_norm_eps)


def _attention(g: GraphBuilder, config: Config, x: str, bias: str, name: str) -> str:
    """Scaled dot-product attention; ``bias`` keeps it off the padding."""
    size = config.hidden_size // config.num_attention_heads
    split = g.constant("heads", [0, 0, config.num_attention_heads, size])
    query, key, value = (g.node("Reshape", g.linear(x, f"{name}.{part}"), split) for part in ("query", "key", "value"))
    query = g.node("Transpose", query, perm=[0, 2, 1, 3])
    key = g.node("Transpose", key, perm=[0, 2, 3, 1])
    value = g.node("Transpose", value, perm=[0, 2, 1, 3])
    root = g.constant("root_of_head_size", size**0.5, np.float32)
    scores = g.node("Add", g.node("Div", g.node("MatMul", query, key), root), bias)
    mixed = g.node("MatMul", g.node("Softmax", scores, axis=-1), value)
    joined = g.constant("joined", [0, 0, config.hidden_size])
    return g.node("Reshape", g.node("Transpose", mixed, perm=[0, 2, 1, 3]), joined)


def _mean(g: GraphBuilder, x: str, mask: str) -> str:
    """Mean over the tokens that are not padding; there are always two of those at least."""
    weights = g.node("Unsqueeze", mask, g.constant("axis_2", [2]))
    axis = g.constant("axis_1", [1])
    total = g.node("ReduceSum", g.node("Mul", x, weights), axis, keepdims=0)
    return g.node("Div", total, g.node("ReduceSum", weights, axis, keepdims=0))


def _model(g: GraphBuilder, output: str, width: int) -> ModelProto:
    tokens = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    rows = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(g.nodes, "all-minilm-l6-v2", tokens, [rows], initializer=list(g.tensors.values()))
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="starai")


if __name__ == "__main__":
    GRAPH.write_bytes(build(Path(sys.argv[1])).SerializeToString())
