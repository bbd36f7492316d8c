"""Frames that py-amqp alone would not survive."""

import struct
from types import SimpleNamespace

import pytest
from amqp import spec
from amqp.basic_message import Message

from worker.frames import readable_frames


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
