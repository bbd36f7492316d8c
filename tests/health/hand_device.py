"""A device that a test moves by hand: it hears its orders, and answers probes as it is told."""

import json
from collections.abc import Callable
from typing import Any

import pika
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from tasks.order import Duty, Order, read_order
from tasks.probe import HealthReport, Probe, Readings, digest, echo, report_publication, write_report
from tests.conftest import idle

MODEL = "all-minilm-l6-v2"
GIB = 2**30


def readings(**changes: Any) -> Readings:
    """Return what a device says that is well."""
    plain: dict[str, Any] = {
        "load": 0.1,
        "processor": 0.2,
        "memory_left": 8 * GIB,
        "disk_left": 100 * GIB,
        "provider": "CPUExecutionProvider",
        "models": (MODEL,),
        "running": 0,
        "held": 0,
        "unsettled": 0,
        "consumers": 2,
    }
    return Readings(**plain | changes)


class HandDevice:
    """One device, by a connection of its own, that reconnects when the platform closes it.

    Attributes:
        answer: what it does when it is asked; see the functions below.
        probes, duties: what it was asked and ordered so far.
    """

    def __init__(self, url: str, key: Ed25519PrivateKey | None) -> None:
        self.id = user_of(url)
        self.url = url
        self.key = key
        self.answer: Callable[[HandDevice, Probe], None] = well
        self.probes: list[Probe] = []
        self.duties: list[Duty] = []
        self.link = Link(url, self.id, self._consume)
        self.link.open(10)

    def report(self, probe: Probe, device: str | None = None, nonce: str | None = None, **changes: Any) -> bytes:
        """Return an answer; it says that it reads its queues while it was not ordered to rest."""
        serves = not self.duties or self.duties[-1] is Duty.SERVE
        said = readings(**{"consumers": 2 if serves else 0} | changes)
        content = HealthReport(
            device=device or self.id,
            cycle=probe.cycle,
            nonce=nonce or probe.nonce,
            at=0.0,
            digest=digest(probe.padding),
            readings=said,
        )
        return write_report(content, self.key)

    def send(self, body: bytes) -> None:
        self.link.publish(report_publication(body, self.id))

    def may_take(self, queue: str) -> bool:
        """Tell whether the broker would let it read a task queue."""
        with pika.BlockingConnection(idle(self.url)) as connection:
            channel = connection.channel()
            try:
                channel.basic_get(queue)
            except pika.exceptions.ChannelClosedByBroker:
                return False
            channel.close()
            return True

    def _consume(self, channel: Any, ready: Callable[[], None]) -> None:
        channel.basic_consume(names.device_queue(self.id), self._on_order, True, callback=lambda _: ready())

    def _on_order(self, _channel: Any, _method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        order = read_order(properties.user_id, body)
        assert isinstance(order, Order)
        if order.duty:
            self.duties.append(order.duty)
        if order.probe:
            self.probes.append(order.probe)
            self.answer(self, order.probe)


def well(device: HandDevice, probe: Probe) -> None:
    device.send(device.report(probe))
    if probe.padding:
        device.link.publish(echo(probe, device.id))


def failing(device: HandDevice, probe: Probe) -> None:
    device.send(device.report(probe, disk_left=0))


def silent(device: HandDevice, probe: Probe) -> None:
    pass


def wrong_nonce(device: HandDevice, probe: Probe) -> None:
    device.send(device.report(probe, nonce="0" * 32))


def replaying(device: HandDevice, probe: Probe) -> None:
    """Answer the first probe again, whatever is asked."""
    device.send(device.report(device.probes[0]))


def unreadable(device: HandDevice, probe: Probe) -> None:
    device.send(json.dumps({"content": "!" * 100}).encode())


def in_the_name_of(other: HandDevice) -> Callable[[HandDevice, Probe], None]:
    """Answer as another device would."""
    return lambda device, probe: device.send(other.report(probe, device=other.id))
