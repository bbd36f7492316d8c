"""The engine for any ONNX model: arrays in, arrays out, each with a name."""

from collections.abc import Sequence
from pathlib import Path

from models.entry import CatalogueEntry
from models.graph import Graph, Run, open_graph
from models.memory import most_bytes
from models.messages import Arrays, Asked
from models.runtime import CPU, Provider, import_engine
from models.signature import check, takes
from starai.errors import BadInput, ModelError
from starai.tensor import encoded_size
from starai.wire import MAX_BODY

# Of what the process may take: for the interpreter, the engine's code, and arrays on their way in and out.
_BESIDE = 256 * 10**6


class TensorEngine:
    """A model that makes arrays of arrays, one request after the other."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def begin(self, asked: Asked) -> Run:
        """Return the run that answers a request, not begun yet.

        Raises:
            BadInput: it is not for this model; the message says what would be.
        """
        if not isinstance(asked, dict):
            raise BadInput(f"This model takes named arrays: ask it with a dict of them. {takes(self._graph.inputs)}")
        _require_room(asked)
        check(asked, self._graph.inputs)
        return self._graph.run(asked)


def load_tensors(
    entry: CatalogueEntry, folder: Path, threads: int, providers: Sequence[Provider] = CPU
) -> TensorEngine:
    """Load a model from its folder, whose files are verified, where the providers run.

    Raises:
        EngineMissing: there is no usable ONNX Runtime, or it cannot use the providers.
        ModelError: the engine could not load it, or it takes or gives what cannot be sent.
    """
    file = folder / entry.onnx_file
    if not file.is_file():
        raise ModelError(
            f"The model {entry.name} has no file {entry.onnx_file}. Say in its entry, by onnx_file, which of its files "
            "is the ONNX graph."
        )
    most = most_bytes(entry, on_gpu=tuple(providers) != CPU) - _BESIDE
    return TensorEngine(open_graph(import_engine(), file, providers, threads, most))


def _require_room(arrays: Arrays) -> None:
    if (size := sum(encoded_size(array.nbytes) for array in arrays.values())) > MAX_BODY:
        raise BadInput(f"The arrays have {size:,} bytes as they are sent; the most is {MAX_BODY:,}.")
