"""What an ONNX graph takes and gives: names, dtypes and shapes, and whether arrays are that. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput, ModelError
from starai.wire import MAX_TENSORS

#: The dtype of each type of a graph's inputs and outputs that can be sent.
DTYPES: dict[str, np.dtype[Any]] = {
    f"tensor({name})": np.dtype(dtype)
    for name, dtype in {
        "float": "<f4",
        "float16": "<f2",
        "double": "<f8",
        "int8": "|i1",
        "int16": "<i2",
        "int32": "<i4",
        "int64": "<i8",
        "uint8": "|u1",
        "uint16": "<u2",
        "uint32": "<u4",
        "uint64": "<u8",
        "bool": "|b1",
    }.items()
}


class Port(NamedTuple):
    """An input of a graph, or an output.

    Attributes:
        shape: of each dimension its size, or what the graph calls it where any size does; ``None`` where any shape may
            do: the engine does not tell a single number from a shape that the graph leaves open.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...] | None

    def __str__(self) -> str:
        return f"{self.name!r}, {self.words}"

    @property
    def words(self) -> str:
        """What it is, for people."""
        return str(self.dtype) if self.shape is None else f"{self.dtype} of shape {shape_words(self.shape)}"

    def takes(self, array: NDArray[Any]) -> bool:
        """Tell whether an array is of the dtype and the shape that are declared."""
        if array.dtype != self.dtype:
            return False
        if self.shape is None:
            return True
        pairs = zip(self.shape, array.shape, strict=False)
        return array.ndim == len(self.shape) and all(isinstance(want, str) or want == got for want, got in pairs)


def port(name: str, kind: str, shape: Sequence[int | str | None]) -> Port:
    """Return an input or an output as the engine describes it.

    Raises:
        ModelError: it is no array, or of numbers that cannot be sent.
    """
    if kind not in DTYPES:
        raise ModelError(
            f"The model cannot be used: its {name!r} is {kind}, and only arrays of integers, floats of 16 to 64 bits "
            "and truth values can be sent. Convert the model, or choose another."
        )
    # Old graphs say -1 of a dimension that is free.
    sizes = tuple(size if isinstance(size, int) and size >= 0 else str(size or "any") for size in shape)
    return Port(name, DTYPES[kind], sizes or None)


def require_askable(inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    """Make sure that one task can ask for all that a graph takes, and one result hold all that it gives.

    Raises:
        ModelError: it is too much, or nothing.
    """
    for what, ports in (("inputs", inputs), ("outputs", outputs)):
        if not 0 < len(ports) <= MAX_TENSORS:
            raise ModelError(
                f"The model cannot be used: it has {len(ports)} {what}, and from 1 to {MAX_TENSORS} can be sent. "
                "Choose another."
            )


def check(arrays: Mapping[str, NDArray[Any]], inputs: Sequence[Port]) -> None:
    """Make sure that arrays are what a graph takes.

    Raises:
        BadInput: one of them is not, is missing, or is of no such name.
    """
    names = [one.name for one in inputs]
    if unknown := [name for name in arrays if name not in names]:
        raise BadInput(f"The model has no input {unknown[0][:80]!r}. {takes(inputs)}")
    for one in inputs:
        if one.name not in arrays:
            raise BadInput(f"The input {one.name!r} is missing. {takes(inputs)}")
        if not one.takes(array := arrays[one.name]):
            got = f"{array.dtype} of shape {shape_words(array.shape)}"
            raise BadInput(f"The input {one.name!r} is {got}; the model takes {one.words}.")


def takes(inputs: Sequence[Port]) -> str:
    """Say what a graph takes, in a sentence."""
    return f"It takes {'; '.join(map(str, inputs)) or 'none'}."


def shape_words(shape: Sequence[int | str]) -> str:
    """Return a shape as people write it, with the names of what is free."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
