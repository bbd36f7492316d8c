"""ONNX Runtime: the only module that imports it. Its telemetry is off because ``models`` is imported first."""

import contextlib
import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
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
_CUDA, _DIRECTML = "CUDAExecutionProvider", "DmlExecutionProvider"


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
            raise ModelError(f"The model failed while it ran: {first_line(error)}") from error
        return output


def cuda(memory_bytes: int | None, gpu: int = 0) -> tuple[Provider, ...]:
    """Return the providers that run on that NVIDIA GPU within so many bytes of its memory; ``None``: all of it.

    The limit is the arena's, where weights and tensors are; the driver's own context, some hundred MB, is beside it.
    The arena grows by what is asked for: it would otherwise double until the limit.
    """
    options = {"device_id": str(gpu), "arena_extend_strategy": "kSameAsRequested"}
    if memory_bytes is not None:
        options["gpu_mem_limit"] = str(memory_bytes)
    return ((_CUDA, options), *CPU)


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
    engine = import_engine()
    options = session_options(engine, providers, threads)
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
    return Session(open_session(engine, graph, options, providers))


def session_options(engine: Any, providers: Sequence[Provider], threads: int) -> Any:
    """Return the engine's options for a session, as :func:`new_session` says."""
    options = engine.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = _DIRECTML not in map(_name, providers)  # which cannot do with it
    return options


def open_session(engine: Any, graph: bytes | str, options: Any, providers: Sequence[Provider]) -> Any:
    """Return the engine's own session of a graph, or of the file with that path.

    Raises:
        EngineMissing: it cannot use one of the providers.
        ModelError: it could not load the graph.
    """
    names, told = [_name(provider) for provider in providers], [_as_told(provider) for provider in providers]
    _require_providers(names, engine.get_available_providers())
    try:
        # By itself it would go on on the processor where a provider fails, at the start or in the middle of a run.
        session = engine.InferenceSession(graph, options, providers=told, enable_fallback=0)
    except Exception as error:  # the engine's errors have no common base of their own
        raise ModelError(f"ONNX Runtime could not load the model: {first_line(error)}") from error
    # A provider that lacks its driver is left out with no more than a warning.
    _require_providers(names, session.get_providers())
    return session


@cache
def flavours() -> frozenset[str]:
    """Return the installed distributions that write the folder ``onnxruntime``: its flavours.

    All that is installed is read for that, once in a process.
    """
    return frozenset(metadata.packages_distributions().get(_PACKAGE, []))


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


def import_engine() -> Any:
    """Import ONNX Runtime, and let it find the libraries of CUDA that were installed with it.

    Raises:
        EngineMissing: there is none, or more than one, or it cannot be imported.
    """
    require_one(flavours())
    try:
        engine = importlib.import_module(_PACKAGE)
    except ImportError as error:
        raise EngineMissing(
            f"ONNX Runtime is installed but cannot be imported: {error}. Install it anew: "
            f"pip install --force-reinstall {' '.join(flavours())}"
        ) from error
    if _CUDA in engine.get_available_providers():
        with contextlib.redirect_stdout(sys.stderr):  # where it prints what it does not find
            engine.preload_dlls()  # they lie in packages, where the system's loader does not look
    return engine


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


def first_line(error: Exception) -> str:
    """Return what the engine says first; the rest is where in itself it happened."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
