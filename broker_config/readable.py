"""A connection that survives what strangers put into a message's properties."""

import struct
from typing import Any

import pika
from pika import frame, spec
from pika.adapters.select_connection import SelectConnection

_KIND_CHANNEL_SIZE = struct.Struct(">BHL")
_CLASS_WEIGHT_BODY = struct.Struct(">HHQ")


class ReadableConnection(SelectConnection):
    """Reads a message whose properties pika cannot decode as one without any, so that it is junk like other junk.

    pika decodes properties while it reads: a time beyond the calendar raises out of its loop and would end the
    connection, and the broker would send the same message again to the next one.
    """

    def close_socket(self) -> None:
        """Close what pika leaves to the garbage collector when its loop is stopped while it connects or opens."""
        connector = getattr(getattr(self, "_connection_workflow", None), "_connector", None)
        for holder in (connector, getattr(self, "_transport", None)):
            if sock := getattr(holder, "_sock", None):
                sock.close()

    def _read_frame(self) -> tuple[int, Any]:
        try:
            return super()._read_frame()  # type: ignore[misc,no-any-return]
        except Exception:
            received: bytes = self._frame_buffer  # type: ignore[attr-defined]
            kind, channel, size = _KIND_CHANNEL_SIZE.unpack_from(received)
            if kind != spec.FRAME_HEADER:
                raise
            body_size = _CLASS_WEIGHT_BODY.unpack_from(received, spec.FRAME_HEADER_SIZE)[2]
            whole = spec.FRAME_HEADER_SIZE + size + spec.FRAME_END_SIZE
            return whole, frame.Header(channel, body_size, pika.BasicProperties())
