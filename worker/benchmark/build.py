"""Builds ``matmul.onnx``: the product of two float32 matrices of any size.

To build it again (this needs the package ``onnx``, the device does not): ``python -m worker.benchmark.build``
"""

from pathlib import Path

from onnx import ModelProto, TensorProto, helper

GRAPH = Path(__file__).with_name("matmul.onnx")

_OPSET, _IR_VERSION = 20, 9


def build() -> ModelProto:
    """Return the graph: ``a`` of shape (m, k) and ``b`` of shape (k, n) in, ``c`` of shape (m, n) out."""
    a, b, c = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("a", ["m", "k"]), ("b", ["k", "n"]), ("c", ["m", "n"]))
    )
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "matmul", [a, b], [c])
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="starai")


if __name__ == "__main__":
    GRAPH.write_bytes(build().SerializeToString())
