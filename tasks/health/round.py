"""One round of probes: devices are asked, and what they answer is gathered until all have, or the time is over."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import pika
from pika.channel import Channel

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from starai.errors import BrokerUnreachable
from tasks.health.answers import MOST_KEPT, is_late
from tasks.health.evidence import Heard
from tasks.order import Order, order_publication
from tasks.probe import Probe

log = logging.getLogger(__name__)

_OPEN_TIMEOUT = 10.0
_PREFETCH = 1000
# So many probes leave at once: the time from one's publication to its answer is the device's, not that of a queue here.
_PORTION = 200
# Seconds for the broker to confirm a portion.
_CONFIRMED_WITHIN = 10.0
_ECHO = "application/octet-stream"


@dataclass
class _Answer:
    """What one device sent, and when it was asked and heard."""

    asked_at: float
    heard_at: float | None = None
    body: bytes = b""
    echo: bytes | None = None
    echo_at: float = 0.0

    def heard(self, device: str, ended_at: float) -> Heard:
        assert self.heard_at is not None  # noqa: S101
        echo_after = (ended_at if self.echo is None else self.echo_at) - self.heard_at
        return Heard(device, self.body, self.heard_at - self.asked_at, self.echo, echo_after)


@dataclass(frozen=True)
class Gathered:
    """What came of a round.

    Attributes:
        heard: the answers, by device.
        lost_link: whether the connection ended meanwhile, and with it perhaps answers.
        dropped: messages that were nobody's answer: late, repeated, or from who was not asked.
    """

    heard: Mapping[str, Heard]
    lost_link: bool = False
    dropped: int = 0


@dataclass
class Round:
    """One round, over a connection of its own.

    Args:
        url: the broker's address, as the platform.
        probes: what each device is asked, by its id.
        deadline: seconds for answers after the last probe left.
    """

    url: str
    probes: Mapping[str, Probe]
    deadline: float
    _answers: dict[str, _Answer] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _channels: int = 0
    _missing: int = 0
    _dropped: int = 0

    def __post_init__(self) -> None:
        self._link = Link(self.url, "platform health", self._consume)

    def run(self, meanwhile: Callable[[], None]) -> Gathered:
        """Ask all devices, do something else meanwhile, and return what they answered in time.

        Raises:
            BrokerUnreachable, BrokerRefused: the broker could not be reached, or refused; nobody was heard then.
        """
        self._missing = len(self.probes) + sum(1 for probe in self.probes.values() if probe.padding)
        self._link.open(_OPEN_TIMEOUT)
        try:
            self._publish()
            until = time.monotonic() + self.deadline
            meanwhile()
            self._wait(until)
            ended_at = time.monotonic()
            lost_link = self._channels > 1 or not self._link.is_connected
        finally:
            self._link.close(0)
        answers = ((device, one) for device, one in self._answers.items() if one.heard_at is not None)
        heard = {device: one.heard(device, ended_at) for device, one in answers}
        return Gathered(heard, lost_link, self._dropped)

    def close(self) -> None:
        """End the round at once: :meth:`run` raises."""
        self._link.close(0)
        with self._changed:
            self._changed.notify_all()

    def _publish(self) -> None:
        user, devices = user_of(self.url), iter(self.probes)
        while portion := list(islice(devices, _PORTION)):
            orders = [order_publication(device, Order(probe=self.probes[device]), user) for device in portion]
            asked_at = time.monotonic()
            self._answers |= {device: _Answer(asked_at) for device in portion}
            self._link.publish_all(orders)
            for order in orders:
                self._confirm(order.confirmed.result, asked_at + _CONFIRMED_WITHIN)

    @staticmethod
    def _confirm(result: Callable[[float], None], until: float) -> None:
        try:
            result(max(until - time.monotonic(), 0.0))
        except TimeoutError as error:
            raise BrokerUnreachable("The broker did not take the probes in time.") from error

    def _wait(self, until: float) -> None:
        with self._changed:
            while self._missing > 0 and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
                if self._link.over:
                    raise self._link.over

    # From here on, everything runs on the link's thread.

    def _consume(self, channel: Channel, ready: Callable[[], None]) -> None:
        self._channels += 1
        channel.basic_qos(prefetch_count=_PREFETCH)
        if self._channels == 1:  # what waits from earlier cycles answers nothing any more
            channel.queue_purge(names.HEALTH_QUEUE)
        channel.basic_consume(names.HEALTH_QUEUE, self._on_message, callback=lambda _: ready())

    def _on_message(
        self, channel: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        at = time.monotonic()
        channel.basic_ack(method.delivery_tag or 0)
        if not self._take(properties, body, at):
            self._dropped += 1

    def _take(self, properties: pika.BasicProperties, body: bytes, at: float) -> bool:
        """Keep the message if it is a device's first answer, or the padding that comes back after it."""
        device = properties.user_id or ""
        answer, probe = self._answers.get(device), self.probes.get(device)
        if answer is None or probe is None or "x-death" in (properties.headers or {}):
            return False
        if properties.content_type == _ECHO:
            taken = self._take_echo(answer, probe, properties.correlation_id, body, at)
        else:
            taken = self._take_report(answer, probe, body, at)
        if taken:
            with self._changed:
                self._missing -= 1
                if not self._missing:
                    self._changed.notify_all()
        return taken

    @staticmethod
    def _take_report(answer: _Answer, probe: Probe, body: bytes, at: float) -> bool:
        if answer.heard_at is not None or is_late(body, probe):
            return False
        answer.heard_at, answer.body = at, body[:MOST_KEPT]
        return True

    @staticmethod
    def _take_echo(answer: _Answer, probe: Probe, nonce: str | None, body: bytes, at: float) -> bool:
        """Keep what came back, cut to what was sent and one byte: more is wrong, however much more."""
        if answer.heard_at is None or answer.echo is not None or not probe.padding or nonce != probe.nonce:
            return False
        answer.echo, answer.echo_at = body[: len(probe.padding) + 1], at
        return True
