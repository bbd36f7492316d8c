"""Reads the broker's frames for py-amqp, and survives what strangers put into a message's properties.

py-amqp decodes properties while it reads: text that is not UTF-8, or a time beyond the calendar, raises out of its
reading loop, and the broker would give the same message to one device after the other until none is left. Here
such a message arrives without properties, so that it is junk like any other.
"""

import struct
from collections.abc import Callable
from typing import Any

from amqp.basic_message import Message
from amqp.method_framing import frame_handler

Frame = tuple[int, int, bytes]

#: The frame that holds a message's size and properties (AMQP 0-9-1, section 2.3.5.2).
_HEADER = 2
# Class, weight and body size; the properties follow.
_FIXED = 12
_NO_PROPERTIES = b"\0\0"
# Kind, channel and size go before a frame's content, and an octet marks its end.
_SIZE = struct.Struct(">I")
_SIZE_AT = 3
_FRAMING = 8
# Bytes that are asked for at once.
_MOST = 32 * 1024


def readable_frames(connection: Any, callback: Callable[..., Any]) -> Callable[[Frame], Any]:
    """Return py-amqp's handler of frames, guarded; for its connection's option ``frame_handler``."""
    read = frame_handler(connection, callback)

    def on_frame(frame: Frame) -> Any:
        kind, channel, content = frame
        if kind == _HEADER and not _is_readable(content):
            frame = (kind, channel, content[:_FIXED] + _NO_PROPERTIES)
        return read(frame)

    return on_frame


def read_frames(connection: Any, timeout: float) -> None:
    """Read what has arrived, and handle the frames that are whole by now.

    py-amqp alone asks the system three times for each frame. What is left of a frame stays in its own buffer.

    Raises:
        TimeoutError: nothing came in time.
        OSError: the broker has closed the connection.
    """
    transport = connection.transport
    with transport.having_timeout(timeout) as sock:
        received = sock.recv(_MOST)
    if not received:
        raise ConnectionResetError("The broker closed the connection.")
    transport._read_buffer += received
    while _is_whole(transport._read_buffer):
        connection.blocking_read()


def _is_whole(buffer: bytes) -> bool:
    return len(buffer) >= _FRAMING and len(buffer) >= _SIZE.unpack_from(buffer, _SIZE_AT)[0] + _FRAMING


def _is_readable(header: bytes) -> bool:
    try:
        Message().inbound_header(header)
    except Exception:  # noqa: BLE001 - whatever it is, a stranger wrote it
        return False
    return True
