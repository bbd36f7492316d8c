"""ONNX Runtime: the only module that imports it. Its telemetry is off because ``models`` is imported first."""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from starai.errors import EngineMissing, ModelError

#: The processor alone, which every flavour has.
CPU = ("CPUExecutionProvider",)

#: An execution provider by its name, or with its options.
Provider = str | tuple[str, Mapping[str, str]]

_PACKAGE = "onnxruntime"


class Session:
    """A loaded graph with one output, which any thread may run."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @property
    def width(self) -> int:
        """The length of the output's rows."""
        width: int = self._session.get_outputs()[0].shape[-1]
        return width

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Run the graph and return its output.

        Raises:
            ModelError: the engine failed, for want of memory for example. The session can be used again.
        """
        try:
            output: NDArray[Any] = self._session.run(None, dict(inputs))[0]
        except Exception as error:  # the engine's errors have no common base of their own
            raise ModelError(f"The model failed while it ran: {_first_line(error)}") from error
        return output


def cuda(memory_bytes: int, gpu: int = 0) -> tuple[Provider, ...]:
    """Return the providers that run on that NVIDIA GPU within so many bytes of its memory.

    The limit is the arena's, where weights and tensors are; the driver's own context, some hundred MB, is beside it.
    The arena grows by what is asked for: it would otherwise double until the limit.
    """
    options = {
        "device_id": str(gpu),
        "gpu_mem_limit": str(memory_bytes),
        "arena_extend_strategy": "kSameAsRequested",
    }
    return (("CUDAExecutionProvider", options), *CPU)


def new_session(graph: bytes, weights: Path, providers: Sequence[Provider], threads: int) -> Session:
    """Load a graph.

    Args:
        graph: the ONNX graph; its external weights are looked up in the folder ``weights``.
        weights: a folder.
        providers: where it must run, best first; :data:`CPU` for the processor, :func:`cuda` for an NVIDIA GPU.
        threads: how many threads one run uses. They do not spin while they wait: that costs the machine's owner
            energy, and speed as soon as another program is busy.

    Raises:
        EngineMissing: there is no ONNX Runtime, or more than one, or it cannot use one of the providers.
        ModelError: it could not load the graph.
    """
    engine = _import_engine()
    options = engine.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
    try:
        session = engine.InferenceSession(graph, options, providers=[_as_told(provider) for provider in providers])
    except Exception as error:  # the engine's errors have no common base of their own
        raise ModelError(f"ONNX Runtime could not load the model: {_first_line(error)}") from error
    # A provider that is absent, or lacks its driver, is left out with no more than a warning.
    _require_providers([_name(provider) for provider in providers], session.get_providers())
    return Session(session)


def flavours() -> set[str]:
    """Return the installed distributions that write the folder ``onnxruntime``: its flavours."""
    return set(metadata.packages_distributions().get(_PACKAGE, []))


def require_one(installed: Iterable[str]) -> None:
    """Make sure that exactly one flavour is installed.

    Raises:
        EngineMissing: there is none, or there are several, of which the last one installed silently wins.
    """
    names = sorted(installed)
    if not names:
        raise EngineMissing("ONNX Runtime is not installed. Install it: pip install 'starai[cpu]'")
    if len(names) > 1:
        raise EngineMissing(
            f"{len(names)} flavours of ONNX Runtime are installed over one another: {', '.join(names)}. Remove them "
            f"all, then install one: pip uninstall {' '.join(names)}; pip install 'starai[cpu]' (or gpu, directml)"
        )


def _import_engine() -> Any:
    require_one(flavours())
    try:
        return importlib.import_module(_PACKAGE)
    except ImportError as error:
        raise EngineMissing(
            f"ONNX Runtime is installed but cannot be imported: {error}. Install it anew: "
            f"pip install --force-reinstall {' '.join(flavours())}"
        ) from error


def _name(provider: Provider) -> str:
    return provider if isinstance(provider, str) else provider[0]


def _as_told(provider: Provider) -> Any:
    return provider if isinstance(provider, str) else (provider[0], dict(provider[1]))


def _require_providers(asked: Sequence[str], got: Sequence[str]) -> None:
    if absent := [provider for provider in asked if provider not in got]:
        raise EngineMissing(
            f"ONNX Runtime cannot use {', '.join(absent)} here, only {', '.join(got)}. Install the flavour for this "
            "device and its driver, or use the processor alone."
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
