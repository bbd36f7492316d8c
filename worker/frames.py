"""Reads the broker's frames for py-amqp, and survives what strangers put into a message's properties.

py-amqp decodes properties while it reads: text that is not UTF-8, or a time beyond the calendar, raises out of its
reading loop, and the broker would give the same message to one device after the other until none is left. Here
such a message arrives without properties, so that it is junk like any other.
"""

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


def readable_frames(connection: Any, callback: Callable[..., Any]) -> Callable[[Frame], Any]:
    """Return py-amqp's handler of frames, guarded; for its connection's option ``frame_handler``."""
    read = frame_handler(connection, callback)

    def on_frame(frame: Frame) -> Any:
        kind, channel, content = frame
        if kind == _HEADER and not _is_readable(content):
            frame = (kind, channel, content[:_FIXED] + _NO_PROPERTIES)
        return read(frame)

    return on_frame


def _is_readable(header: bytes) -> bool:
    try:
        Message().inbound_header(header)
    except Exception:  # noqa: BLE001 - whatever it is, a stranger wrote it
        return False
    return True
