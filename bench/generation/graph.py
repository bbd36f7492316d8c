"""An ONNX graph under construction, its weights in a file beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, ValueInfoProto, helper

_DATA = "model.onnx.data"
_OPSETS = {"": 22, "com.microsoft": 1}
_IR = 10


class Graph:
    """Nodes, and weights that are written as they come. Used as a context: at its end the model stands in the folder.

    Args:
        folder: where ``model.onnx`` and its weights are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / _DATA).open("wb")
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """Add a weight, and return its name."""
        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(values.dtype), dims=values.shape)
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": _DATA, "offset": str(self._file.tell()), "length": str(values.nbytes)}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=value)
        self._file.write(np.ascontiguousarray(values).tobytes())
        self._weights.append(tensor)
        return name

    def constant(self, name: str, value: int | Sequence[int]) -> str:
        """Add whole numbers as a part of the graph, and return their name."""
        self._weights.append(onnx.numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def node(
        self, kind: str, inputs: Sequence[str], outputs: str | Sequence[str], domain: str = "", **attributes: Any
    ) -> str:
        """Add an operation, and return the name of its first output."""
        named = [outputs] if isinstance(outputs, str) else list(outputs)
        self._nodes.append(helper.make_node(kind, inputs, named, named[0], domain=domain, **attributes))
        return named[0]

    def finish(self, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]) -> None:
        """Write the graph."""
        self._file.close()
        graph = helper.make_graph(self._nodes, "decoder", inputs, outputs, self._weights)
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
        (self._folder / "model.onnx").write_bytes(
            helper.make_model(graph, opset_imports=opsets, ir_version=_IR).SerializeToString(deterministic=True)
        )
