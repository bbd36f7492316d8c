"""Small ONNX graphs, as text, and the catalogue's entries of them."""

from pathlib import Path

import onnx
from onnx import parser

from models.entry import CatalogueEntry, Kind, LocalFolder

_HEAD = '<ir_version: 9, opset_import: ["" : 20]> '

#: ``y`` is ``x + b``, row by row, and ``total`` the sum of it.
ADD = """add (float[rows, 2] x, float[2] b) => (float[rows, 2] y, float total) {
    y = Add(x, b)
    total = ReduceSum<keepdims = 0>(y)
}"""
#: ``y`` is as many times ``x``, and one more; there is no end to how long that may take.
TIMES = """times (float[n] x, int64 times) => (float[n] y) {
    yes = Constant<value = bool {1}>()
    y = Loop(times, yes, x) <body = once (int64 i, bool go, float[n] before) => (bool goes, float[n] after) {
        goes = Identity(go)
        after = Add(before, x)
    }>
}"""
#: ``y`` is ``x`` in a shape that is given, be it as large as it may.
EXPAND = "expand (float[n] x, int64[rank] shape) => (float[] y) { y = Expand(x, shape) }"


def model_of(text: str) -> onnx.ModelProto:
    """Return the model of a graph."""
    return parser.parse_model(_HEAD + text)


def tensors_entry(folder: Path, text: str | None = None, file: str = "model.onnx") -> CatalogueEntry:
    """Return the entry of a model in a folder, and put it there if it is given as text."""
    if text is not None:
        (folder / file).write_bytes(model_of(text).SerializeToString())
    return CatalogueEntry(
        name="small",
        kind=Kind.TENSORS,
        parameters=10,
        weight_bytes=1000,
        licence="MIT",
        onnx_file=file,
        source=LocalFolder(type="folder", path=folder),
    )
