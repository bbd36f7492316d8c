"""Arrays on the wire: base64 of little-endian bytes, with dtype and shape."""

import base64
import binascii
import math
import string
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput
from starai.wire import Tensor

#: Arrays with more dimensions are not sent.
MAX_DIMENSIONS = 8

_DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in get_args(Tensor.model_fields["dtype"].annotation)}
_BOOL = np.dtype(np.bool_)
_BASE64 = (string.ascii_letters + string.digits + "+/").encode()


def pack(array: NDArray[Any]) -> Tensor:
    """Return the wire form of an array of numbers or truth values.

    Raises:
        BadInput: the array has another dtype, or too many dimensions.
    """
    raw = sendable(array)
    return Tensor(dtype=raw.dtype.str, shape=list(raw.shape), data=base64.b64encode(raw.data).decode("ascii"))


def sendable(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array as it is sent: little-endian and in C order; itself, where it is that.

    Raises:
        BadInput: the array has a dtype that is not sent, or too many dimensions.
    """
    dtype = array.dtype.newbyteorder("<").str
    if dtype not in _DTYPES:
        names = ", ".join(known.name for known in _DTYPES.values())
        raise BadInput(f"An array of {array.dtype} cannot be sent: convert it to one of {names}.")
    if array.ndim > MAX_DIMENSIONS:
        raise BadInput(f"An array of {array.ndim} dimensions cannot be sent: the most is {MAX_DIMENSIONS}.")
    return np.asarray(array, dtype=dtype, order="C")


def encoded_size(size: int) -> int:
    """Return how many characters so many bytes are in base64."""
    return 4 * -(-size // 3)


def is_sound(tensor: Tensor) -> bool:
    """Tell whether :func:`unpack` would return the array, in a small part of its time."""
    size = math.prod(tensor.shape) * _DTYPES[tensor.dtype].itemsize
    data, padding = tensor.data.encode("utf-8", "replace"), -size % 3
    if not size:  # of no bytes, but perhaps of a shape that cannot be
        return _can_unpack(tensor)
    if len(data) != encoded_size(size) or not data.endswith(b"=" * padding):
        return False
    return not data[: len(data) - padding].translate(None, _BASE64)


def unpack(tensor: Tensor) -> NDArray[Any]:
    """Return the array that a tensor holds, with its dtype and shape, as a fresh and writable one.

    A truth value is true unless its byte is zero.

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
    if len(raw) != expected or len(tensor.data) != encoded_size(expected):
        raise BadInput(
            f"A tensor of shape {tensor.shape} and dtype {tensor.dtype} has {expected} bytes, not {len(raw)}."
        )
    try:
        return _flat(raw, dtype).reshape(tensor.shape)
    except ValueError as error:  # no bytes, but a dimension beyond what numpy can count
        raise BadInput(f"A tensor cannot have the shape {tensor.shape}: {error}.") from error


def _flat(raw: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype == _BOOL:  # of which numpy holds no other bytes than 0 and 1
        return np.frombuffer(raw, np.uint8).astype(np.bool_)
    return np.frombuffer(bytearray(raw), dtype)


def _can_unpack(tensor: Tensor) -> bool:
    try:
        unpack(tensor)
    except BadInput:
        return False
    return True
