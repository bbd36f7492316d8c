"""How a hostile device answers health probes: as well as any other, or with a lie."""

import random
import time
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pika.adapters.blocking_connection import BlockingChannel

from broker_config import names
from tasks.order import read_order
from tasks.probe import HealthReport, Probe, Readings, report_publication, write_report


class Lie(StrEnum):
    """What is wrong with an answer."""

    NONCE = "another nonce"
    SIGNATURE = "another's signature"
    NAME = "another's name"
    REPLAY = "an earlier answer"
    JUNK = "no answer at all"


class Answers:
    """Answers what comes to a device's control queue, over a channel of its own.

    Args:
        device: who it is; ``victim`` is whose name it takes when it lies about its own.
        key: what it signs with.
        lies: whether some of its answers are lies.
    """

    def __init__(self, device: str, victim: str, key: Ed25519PrivateKey, chosen: random.Random, *, lies: bool) -> None:
        self._device = device
        self._victim = victim
        self._key = key
        self._chosen = chosen
        self._lies = lies
        self._earlier: bytes | None = None

    def answer(self, channel: BlockingChannel) -> None:
        """Answer what waits."""
        while (got := channel.basic_get(names.device_queue(self._device), auto_ack=True))[0]:
            order = read_order(got[1].user_id, got[2])
            if order is not None and order.probe is not None:
                message = report_publication(self._body(order.probe), self._device)
                channel.basic_publish(message.exchange, message.key, message.body, message.properties)

    def _body(self, probe: Probe) -> bytes:
        lie = self._chosen.choice(list(Lie)) if self._lies else None
        if lie is Lie.REPLAY and self._earlier:
            return self._earlier
        if lie is Lie.JUNK:
            return b"{}"
        report = HealthReport(
            device=self._victim if lie is Lie.NAME else self._device,
            cycle=probe.cycle,
            nonce="0" * 32 if lie is Lie.NONCE else probe.nonce,
            at=time.time(),
            readings=_WELL,
        )
        key = Ed25519PrivateKey.generate() if lie is Lie.SIGNATURE else self._key
        self._earlier = write_report(report, key)
        return self._earlier


_WELL = Readings(
    load=0.0,
    processor=0.1,
    memory_left=2**33,
    disk_left=2**36,
    provider="CPUExecutionProvider",
    running=0,
    held=0,
    unsettled=0,
    consumers=0,
)
