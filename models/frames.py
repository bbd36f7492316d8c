"""Frames between a model's process and its host: a small JSON head, then raw bytes. Both ends are ours."""

import json
import struct
from typing import Any, BinaryIO

# Lengths of the head and of the body, in bytes.
_LENGTHS = struct.Struct("<IQ")


def write_frame(stream: BinaryIO, head: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one frame and flush it."""
    packed = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(packed), len(body)) + packed)
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; ``None`` when the stream has ended, be it in the middle of a frame."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_length, body_length = _LENGTHS.unpack(lengths)
    head, body = stream.read(head_length), stream.read(body_length)
    return (json.loads(head), body) if len(head) + len(body) == head_length + body_length else None
