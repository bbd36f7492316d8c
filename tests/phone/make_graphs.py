"""Makes ``ops/phone/page/src/model/graphs.ts``: the graphs of the benchmark in the browser.

    python -P -m tests.phone.make_graphs

The product of two matrices is the one of ``worker/benchmark``. There its second matrix is an input; the runtime of
browsers copies its inputs for each run, which takes longer than to read them: for the speed of memory it is a weight
that lies in the runtime's memory, and that nothing is done to when it is loaded, as nothing is done to an input.
"""

import base64
from pathlib import Path

from onnx import ModelProto, TensorProto

from worker.benchmark.build import build

GRAPHS = Path(__file__).parents[2] / "ops" / "phone" / "page" / "src" / "model" / "graphs.ts"
ROWS, COLUMNS = 2048, 4096

_HEAD = """/**
 * The ONNX graphs of the benchmark: `a` (m, k) and `b` (k, n) in, their product out.
 *
 * Made by tests/phone/make_graphs.py from the graph with which other devices measure themselves.
 */
"""
_TAIL = """
function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
"""
_LINE = 100


def graphs() -> str:
    """Return the file's text."""
    return (
        _HEAD
        + _function("matmulGraph", "both are inputs", build())
        + f"\n/** The size of its weights, which have the name `weights`. */\nexport const ROWS = {ROWS};\n"
        + f"export const COLUMNS = {COLUMNS};\n"
        + _function("weightsGraph", "`b` is a weight of that size", with_weights(build()))
        + _TAIL
    )


def with_weights(model: ModelProto) -> ModelProto:
    """Return the graph with external data for ``b``, which stays an input: so it is a weight that is kept as it is."""
    weights = TensorProto(name="b", data_type=TensorProto.FLOAT, dims=[ROWS, COLUMNS])
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights"), ("offset", "0"), ("length", str(ROWS * COLUMNS * 4))):
        weights.external_data.add(key=key, value=value)
    model.graph.initializer.append(weights)
    return model


def _function(name: str, says: str, model: ModelProto) -> str:
    text = base64.b64encode(model.SerializeToString(deterministic=True)).decode()
    lines = [f'    "{text[begin : begin + _LINE]}"' for begin in range(0, len(text), _LINE)]
    body = "  return bytes(\n" + " +\n".join(lines) + ",\n  );\n"
    return f"\n/** Return the graph of which {says}. */\nexport function {name}(): Uint8Array {{\n{body}}}\n"


if __name__ == "__main__":
    GRAPHS.write_text(graphs(), "utf-8")
