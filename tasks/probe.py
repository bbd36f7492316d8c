"""A health probe, and what a device answers: signed over the probe's nonce, its cycle and all that it says of itself.

The report travels under the key ``health`` of ``reports``. A probe with ``padding`` is a timed transfer: the report's
``digest`` proves that the padding arrived, and a second message brings it back, for the way up (:func:`echo`).
"""

import hashlib
import secrets
from typing import Annotated, Literal

import pika
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field

from broker_config import names
from broker_config.publication import Publication
from tasks.envelope import Base64, InvalidMessage, Message, Signature, check_signature, read, sign, write
from tasks.joining import Id, Nonce

#: The routing key of answers to probes.
HEALTH = "health"
#: The largest report, in bytes.
MAX_REPORT = 16 * 1024
#: The most that a probe may bring along to time its way, in bytes.
MOST_PADDING = 256 * 1024

_PURPOSE = "starai health report v1"
# No control characters: what a device says ends up on terminals.
_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Celsius = Annotated[float, Field(ge=-100.0, le=300.0)]
_Bytes = Annotated[int, Field(ge=0, le=2**60)]
_Count = Annotated[int, Field(ge=0, le=100_000)]


class Probe(BaseModel):
    """What the platform asks of one device.

    Attributes:
        cycle: the number of the cycle; 0 for a check outside of one.
        nonce: 16 random bytes in hexadecimal, which no other probe has.
        padding: bytes whose way is timed; empty in most cycles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cycle: Annotated[int, Field(ge=0)]
    nonce: Nonce = Field(default_factory=lambda: secrets.token_hex(16))
    padding: Annotated[Base64, Field(max_length=MOST_PADDING)] = b""


class GpuReading(Message):
    """How a GPU is.

    Attributes:
        driver: the driver's version, empty where it has none to tell.
        temperature: in degrees Celsius; ``None`` where that is not known.
        memory_errors: uncorrected ones since the driver was loaded; ``None`` where it counts none.
        fault: why it cannot be used, or ``None``.
    """

    name: _Text
    driver: _Text = ""
    temperature: _Celsius | None = None
    memory_errors: Annotated[int, Field(ge=0, le=2**63)] | None = None
    fault: _Text | None = None


class Readings(Message):
    """What a device says of itself at one moment: claims. Of itself a page in a browser knows less than a program.

    ``processor``, ``temperature``, ``memory_left`` and ``disk_left`` are ``None`` where the device cannot tell.

    Attributes:
        load: what it is under besides its own tasks, from 0.0 to 1.0, as its priorities are made of.
        processor: the share of all its processors that is in use by whatever.
        temperature: of the processor, in degrees Celsius.
        memory_left, disk_left: bytes for programs; ``disk_left`` where its models are kept.
        gpus: all of them.
        provider: the ONNX Runtime execution provider that it runs its models by; ``provider_fault`` is why that does
            not load any more, or ``None``.
        models: those that it can run now, by name; ``broken`` those that it cannot, each with the reason.
        running: tasks that run now, ``held`` those that wait for a slot, ``unsettled`` ended ones that are not
            acknowledged yet.
        consumers: subscriptions to task queues that are open.
        paused: why it takes no tasks by its owner's wish, or ``None``.
    """

    load: _Share
    processor: _Share | None = None
    temperature: _Celsius | None = None
    memory_left: _Bytes | None = None
    disk_left: _Bytes | None = None
    gpus: Annotated[tuple[GpuReading, ...], Field(max_length=64)] = ()
    provider: _Text
    provider_fault: _Text | None = None
    models: Annotated[tuple[_Text, ...], Field(max_length=64)] = ()
    broken: Annotated[dict[_Text, _Text], Field(max_length=64)] = Field(default_factory=dict)
    running: _Count
    held: _Count
    unsettled: _Count
    consumers: _Count
    paused: _Text | None = None


class HealthReport(Message):
    """A device's answer to a probe.

    Attributes:
        cycle, nonce: the probe's.
        at: Unix time in seconds, by the device's clock: told, never relied on.
        digest: the SHA-256 of the probe's padding in hexadecimal, where there was some.
    """

    version: Literal[1] = 1
    device: Id
    cycle: Annotated[int, Field(ge=0)]
    nonce: Nonce
    at: float
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    readings: Readings


class _SignedReport(Message):
    content: Base64
    signature: Signature | None = None


def digest(padding: bytes) -> str | None:
    """Return what a report says of a probe's padding: nothing where there is none."""
    return hashlib.sha256(padding).hexdigest() if padding else None


class Unsigned(InvalidMessage):
    """A report without a signature, of a device that has a key."""


def write_report(report: HealthReport, key: Ed25519PrivateKey | None) -> bytes:
    """Return the report as it travels, signed where the device has a key.

    Raises:
        InvalidMessage: it is larger than ``MAX_REPORT``.
    """
    content = write(report, MAX_REPORT)
    signature = sign(key, _PURPOSE, content) if key else None
    return write(_SignedReport(content=content, signature=signature), 2 * MAX_REPORT)


def read_report(body: bytes, signing: bytes | None) -> HealthReport:
    """Return the report in a message; ``signing`` is the public key that its device has, if it has one.

    That it answers this very probe, and comes from this device, is the caller's to see.

    Raises:
        Unsigned: it is to be signed, and is not.
        InvalidMessage: it is none, or another key signed it.
    """
    signed = read(_SignedReport, body, 2 * MAX_REPORT)
    if signing is not None:
        if signed.signature is None:
            raise Unsigned("The report is not signed.")
        check_signature(signing, signed.signature, _PURPOSE, signed.content)
    return read(HealthReport, signed.content, MAX_REPORT)


def report_publication(body: bytes, user: str) -> Publication:
    """Return the message that brings a report to the platform."""
    return Publication(names.REPORTS, HEALTH, body, pika.BasicProperties(content_type="application/json", user_id=user))


def echo(probe: Probe, user: str) -> Publication:
    """Return the message that brings a probe's padding back; it follows the report at once."""
    properties = pika.BasicProperties(content_type="application/octet-stream", user_id=user, correlation_id=probe.nonce)
    return Publication(names.REPORTS, HEALTH, probe.padding, properties)
