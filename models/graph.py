"""Any ONNX graph with named arrays in and out, on ONNX Runtime."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from models.runtime import CPU, Provider, first_line, open_session, session_options
from models.signature import Port, port, require_askable
from starai.errors import BadInput, ModelError
from starai.tensor import MAX_DIMENSIONS, encoded_size
from starai.wire import MAX_BODY

# What the engine says where memory is short: that of the machine, and that which one run may take.
_NO_MEMORY = ("Failed to allocate memory", "bad_alloc", "bad allocation", "MemoryError")
_TOO_MUCH = "is smaller than requested bytes"
# What it says where one node of the graph could not do with what it was given.
_NODE_FAILED = "Non-zero status code returned while running"
# The engine's own word for the least that it may say: whoever asks hears what failed, and the owner's log need not.
_FATAL_ALONE = 4


class Graph:
    """A loaded graph.

    Attributes:
        inputs: what it takes; ``outputs``: what it gives.
    """

    def __init__(self, engine: Any, session: Any) -> None:
        self._engine = engine
        self._session = session
        self._is_on_processor = session.get_providers() == list(CPU)
        self.inputs = tuple(port(one.name, one.type, one.shape) for one in session.get_inputs())
        self.outputs = tuple(port(one.name, one.type, one.shape) for one in session.get_outputs())
        require_askable(self.inputs, self.outputs)

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> "Run":
        """Return a run of the graph on these arrays, not begun yet."""
        return Run(self, arrays, self._engine.RunOptions())

    def compute(self, arrays: Mapping[str, NDArray[Any]], options: Any) -> dict[str, NDArray[Any]]:
        """Run it with the engine's options for one run; see :meth:`Run.outputs`."""
        given = {name: self._engine.OrtValue.ortvalue_from_numpy(array) for name, array in arrays.items()}
        try:
            return self._copied(self._run(given, options))
        except (BadInput, ModelError):
            raise
        except Exception as error:  # the engine's errors have no common base of their own
            raise (ModelError("The run was stopped.") if options.terminate else self._error(error)) from error
        finally:
            self._give_back(given)

    def _run(self, given: Mapping[str, Any], options: Any) -> list[Any]:
        found: list[Any] = self._session.run_with_ort_values([one.name for one in self.outputs], given, options)
        return found

    def _copied(self, values: list[Any]) -> dict[str, NDArray[Any]]:
        if fault := _fault(self.outputs, [tuple(value.shape()) for value in values]):
            values.clear()  # which the error would hold else, and so its memory
            raise BadInput(fault)
        # Copies, because what is the engine's own holds on to the memory around it.
        return {one.name: value.numpy().copy() for one, value in zip(self.outputs, values, strict=True)}

    def _give_back(self, given: Mapping[str, Any]) -> None:
        """Let the engine give back the memory that the last run took: it does so at the end of a run.

        Else a large run would leave less for the next one, and for the machine's owner.
        """
        options = self._engine.RunOptions()
        arenas = "cpu:0" if self._is_on_processor else "cpu:0;gpu:0"
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", arenas)
        options.terminate = True
        with suppress(Exception):
            self._run(given, options)

    def _error(self, error: Exception) -> Exception:
        """Return whose fault it is: on a processor a node that fails does so with the same arrays everywhere."""
        said, line = str(error), first_line(error)
        if self._is_on_processor and _TOO_MUCH in said:
            return BadInput("The model would take more memory for these arrays than it may. Send less in one task.")
        is_the_inputs = isinstance(error, self._engine.capi.onnxruntime_pybind11_state.InvalidArgument) or (
            self._is_on_processor and _NODE_FAILED in said
        )
        if is_the_inputs and not any(words in said for words in _NO_MEMORY):
            return BadInput(f"The model cannot do with these arrays: {line.rsplit(_NODE_FAILED, 1)[-1].strip()}")
        return ModelError(f"The model failed while it ran: {line}")


class Run:
    """One run of a graph. Any thread may stop it, at any time."""

    def __init__(self, graph: Graph, arrays: Mapping[str, NDArray[Any]], options: Any) -> None:
        self._graph = graph
        self._arrays = arrays
        self._options = options

    def stop(self) -> None:
        """End it before its next node; :meth:`outputs` then raises ModelError."""
        self._options.terminate = True

    def outputs(self) -> dict[str, NDArray[Any]]:
        """Run the graph and return what it gives.

        Raises:
            BadInput: the graph cannot do with the arrays, or gives more than can be sent.
            ModelError: the engine failed. The graph can be used again.
        """
        return self._graph.compute(self._arrays, self._options)


def open_graph(engine: Any, file: Path, providers: Sequence[Provider], threads: int, most_bytes: int) -> Graph:
    """Load a graph; its external weights lie beside it.

    Args:
        engine: as :func:`models.runtime.import_engine` returns it.
        file: the ONNX file.
        providers: where it must run, as :func:`models.runtime.new_session` is told.
        threads: how many threads one run uses.
        most_bytes: how much main memory weights and one run may take together. It holds for the whole process.

    Raises:
        EngineMissing: the engine cannot use one of the providers.
        ModelError: the graph could not be loaded, or takes or gives what cannot be sent.
    """
    _limit_memory(engine, most_bytes)
    options = session_options(engine, providers, threads)
    options.log_severity_level = _FATAL_ALONE
    # What it learns of each shape it would keep for ever, and strangers choose the shapes.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.use_env_allocators", "1")
    return Graph(engine, open_session(engine, str(file), options, providers))


def _limit_memory(engine: Any, most_bytes: int) -> None:
    memory = engine.OrtMemoryInfo("Cpu", engine.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, engine.OrtMemType.DEFAULT)
    by_what_is_asked_for = 1
    arena = engine.OrtArenaCfg({"max_mem": most_bytes, "arena_extend_strategy": by_what_is_asked_for})
    engine.create_and_register_allocator(memory, arena)


def _fault(outputs: Sequence[Port], shapes: Sequence[tuple[int, ...]]) -> str | None:
    """Say why outputs of these shapes cannot be sent."""
    for one, shape in zip(outputs, shapes, strict=True):
        if len(shape) > MAX_DIMENSIONS:
            return f"The output {one.name!r} has {len(shape)} dimensions; at most {MAX_DIMENSIONS} are sent."
    sizes = [math.prod(shape) * one.dtype.itemsize for one, shape in zip(outputs, shapes, strict=True)]
    if (size := sum(map(encoded_size, sizes))) > MAX_BODY:
        return f"The result would have {size:,} bytes; the most is {MAX_BODY:,}. Send less in one task."
    return None
