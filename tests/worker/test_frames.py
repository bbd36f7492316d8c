"""Frames that py-amqp alone would not survive."""

import socket
import struct
from types import SimpleNamespace

import pytest
from amqp import spec
from amqp.basic_message import Message
from amqp.transport import TCPTransport

from worker.frames import read_frames, readable_frames


@pytest.fixture
def received():
    return []


@pytest.fixture
def read(received):
    connection = SimpleNamespace(bytes_recv=0)
    return readable_frames(connection, lambda channel, method, arguments, message: received.append(message))


def deliver(read, properties, body=b"body"):
    read((1, 1, struct.pack(">HH", *spec.Basic.Deliver)))
    read((2, 1, struct.pack(">HxxQ", 60, len(body)) + properties))
    read((3, 1, body))


def header(name, value):
    table = bytes([len(name)]) + name + value
    return struct.pack(">HI", 0x2000, len(table)) + table


def test_readable_properties_arrive_as_they_are(read, received):
    deliver(read, Message(correlation_id="a", application_headers={"id": "1"})._serialize_properties())

    assert received[0].properties == {"correlation_id": "a", "application_headers": {"id": "1"}}


@pytest.mark.parametrize(
    "properties",
    [
        struct.pack(">HB", 0x0400, 2) + b"\xff\xfe",
        header(b"at", b"T" + b"\xff" * 8),
        header(b"x", b"?"),
        struct.pack(">H", 0x2000),
    ],
    ids=["text that is not UTF-8", "a time beyond the calendar", "an unknown type", "an end too early"],
)
def test_unreadable_properties_are_left_out_and_the_next_message_is_read(read, received, properties):
    deliver(read, properties)
    deliver(read, Message(correlation_id="next")._serialize_properties(), b"next")

    assert [(message.properties, message.body) for message in received] == [
        ({}, b"body"),
        ({"correlation_id": "next"}, b"next"),
    ]


@pytest.fixture
def connection():
    """Two ends of a connection: where the broker writes, and what py-amqp reads from."""
    there, here = socket.socketpair()
    here.settimeout(5)
    transport = TCPTransport("localhost")
    transport.sock = here
    transport._setup_transport()
    frames = []
    reads = SimpleNamespace(transport=transport, frames=frames, there=there)
    reads.blocking_read = lambda: frames.append(transport.read_frame())
    yield reads
    there.close()
    here.close()


def frame(content, kind=1, channel=1):
    return struct.pack(">BHI", kind, channel, len(content)) + content + b"\xce"


def test_all_frames_that_have_arrived_are_read_and_the_rest_of_one_waits(connection):
    last = frame(b"c" * 500)
    connection.there.sendall(frame(b"a") + frame(b"") + last[:100])
    read_frames(connection, 5)
    assert connection.frames == [(1, 1, b"a"), (1, 1, b"")]

    connection.there.sendall(last[100:] + frame(b"d")[:3])
    read_frames(connection, 5)
    assert connection.frames[2:] == [(1, 1, b"c" * 500)]

    connection.there.sendall(frame(b"d")[3:])
    read_frames(connection, 5)
    assert connection.frames[3:] == [(1, 1, b"d")]


def test_a_connection_that_the_broker_closed_is_an_error(connection):
    connection.there.close()

    with pytest.raises(OSError, match="closed the connection"):
        read_frames(connection, 5)
