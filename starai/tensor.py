"""Arrays on the wire: base64 of little-endian bytes, with dtype and shape."""

import base64
import binascii
import math
import string
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput
from starai.wire import Tensor

_DTYPES: dict[str, np.dtype[Any]] = {"<f4": np.dtype("<f4"), "<f2": np.dtype("<f2"), "<i8": np.dtype("<i8")}
_BASE64 = (string.ascii_letters + string.digits + "+/").encode()


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


def is_sound(tensor: Tensor) -> bool:
    """Tell whether :func:`unpack` would return the array, in a small part of its time."""
    size = math.prod(tensor.shape) * _DTYPES[tensor.dtype].itemsize
    data, padding = tensor.data.encode("utf-8", "replace"), -size % 3
    if not size:  # of no bytes, but perhaps of a shape that cannot be
        return _can_unpack(tensor)
    if len(data) != _encoded(size) or not data.endswith(b"=" * padding):
        return False
    return not data[: len(data) - padding].translate(None, _BASE64)


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
    # Python takes a stray "=" behind whole groups of four for padding.
    if len(raw) != expected or len(tensor.data) != _encoded(expected):
        raise BadInput(
            f"A tensor of shape {tensor.shape} and dtype {tensor.dtype} has {expected} bytes, not {len(raw)}."
        )
    try:
        return np.frombuffer(bytearray(raw), dtype).reshape(tensor.shape)
    except ValueError as error:  # no bytes, but a dimension beyond what numpy can count
        raise BadInput(f"A tensor cannot have the shape {tensor.shape}: {error}.") from error


def _encoded(size: int) -> int:
    """Return how many characters so many bytes are in base64."""
    return 4 * -(-size // 3)


def _can_unpack(tensor: Tensor) -> bool:
    try:
        unpack(tensor)
    except BadInput:
        return False
    return True
