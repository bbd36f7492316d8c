"""Arrays on the wire: base64 of little-endian bytes, with dtype and shape."""

import base64
import binascii
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput
from starai.wire import Tensor

_DTYPES: dict[str, np.dtype[Any]] = {"<f4": np.dtype("<f4"), "<f2": np.dtype("<f2"), "<i8": np.dtype("<i8")}


def pack(array: NDArray[Any]) -> Tensor:
    """Return the wire form of a float32, float16 or int64 array of any shape.

    Raises:
        BadInput: the array has another dtype.
    """
    dtype = array.dtype.newbyteorder("<").str
    if dtype not in _DTYPES:
        raise BadInput(f"An array of {array.dtype} cannot be sent: convert it to one of {', '.join(_DTYPES)}.")
    raw = np.ascontiguousarray(array, dtype=dtype)
    return Tensor(dtype=dtype, shape=list(array.shape), data=base64.b64encode(raw.data).decode("ascii"))


def unpack(tensor: Tensor) -> NDArray[Any]:
    """Return the array that a tensor holds, with its dtype and shape, as a fresh and writable one.

    Raises:
        BadInput: the bytes are not base64, not as many as dtype and shape call for, or of no possible shape.
    """
    dtype = _DTYPES[tensor.dtype]
    try:
        raw = base64.b64decode(tensor.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"A tensor's data is not base64: {error}.") from error
    expected = math.prod(tensor.shape) * dtype.itemsize
    if len(raw) != expected:
        raise BadInput(
            f"A tensor of shape {tensor.shape} and dtype {tensor.dtype} has {expected} bytes, not {len(raw)}."
        )
    try:
        return np.frombuffer(bytearray(raw), dtype).reshape(tensor.shape)
    except ValueError as error:  # no bytes, but a dimension beyond what numpy can count
        raise BadInput(f"A tensor cannot have the shape {tensor.shape}: {error}.") from error
