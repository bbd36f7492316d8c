"""A connection that survives what strangers put into a message's properties."""

import struct
from typing import Any

import pika
from pika import frame, spec
from pika.adapters.select_connection import SelectConnection

_KIND_CHANNEL_SIZE = struct.Struct(">BHL")
_CLASS_WEIGHT_BODY = struct.Struct(">HHQ")
# The most bytes that are handed over in one piece.
_PIECE = 256 * 1024


class ReadableConnection(SelectConnection):
    """Reads a message whose properties pika cannot decode as one without any, so that it is junk like other junk.

    pika decodes properties while it reads: a time beyond the calendar raises out of its loop and would end the
    connection, and the broker would send the same message again to the next one.

    What it has to send is gathered until :meth:`send`, because pika writes each frame of a message by itself.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._gathered: list[bytes] = []
        super().__init__(*args, **options)

    def send(self) -> None:
        """Hand what was gathered to the transport, in one piece."""
        if self._gathered and getattr(self, "_transport", None):
            data = b"".join(self._gathered)
            for begin in range(0, len(data), _PIECE):  # pika copies the rest of a piece that is sent in part
                super()._adapter_emit_data(data[begin : begin + _PIECE])  # type: ignore[misc]
        self._gathered.clear()

    def _adapter_emit_data(self, data: bytes) -> None:
        self._gathered.append(data)

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
