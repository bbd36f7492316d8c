"""What the platform orders this device to do, and what it told the device on asking: to rest, and what is cancelled."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future

import pika
from pika.channel import Channel

from broker_config import names
from broker_config.link import Link
from starai.errors import BrokerError
from tasks.cancellation_message import read_cancelled
from tasks.envelope import InvalidMessage
from tasks.order import Duty, Order, read_order
from worker.cancellations import Cancellations
from worker.questions import Questions

log = logging.getLogger(__name__)

#: Seconds after connecting within which the platform is to say what was cancelled; then the device takes tasks.
TOLD_WITHIN = 2.0


class Orders:
    """Hears orders over the link of the device's results, and asks what it missed with each new connection.

    Args:
        device: this device.
        questions: how to ask.
        on_order: told each order, on the link's thread.
        now: returns the time that tasks expire by.

    Attributes:
        cancellations: the tasks that are never begun, or are stopped.
    """

    def __init__(
        self,
        device: str,
        questions: Questions,
        on_order: Callable[[Order], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.cancellations = Cancellations(now)
        self._device = device
        self._questions = questions
        self._on_order_taken = on_order
        self._asked: Future[bytes] = Future()
        self._is_to_rest = False
        self._waits_until = 0.0

    def listen(self, channel: Channel, link: Link, ready: Callable[[], None]) -> None:
        """Hear orders on a link's new channel, and ask what was cancelled; on the link's thread."""
        self._asked.cancel()
        channel.basic_consume(names.device_queue(self._device), self._on_order, callback=lambda _: ready())
        try:
            self._asked = self._questions.ask(link, "cancellations", b"", TOLD_WITHIN)
        except BrokerError as error:  # the link is being closed
            log.warning("cancellations.unasked", extra={"reason": str(error)})
            return
        self._asked.add_done_callback(self._on_cancelled)

    def begin_connection(self, now: float) -> None:
        """Forget the order to rest: whether the device may take tasks over a new connection, the broker says."""
        self._is_to_rest = False
        self._waits_until = now + TOLD_WITHIN

    def is_resting(self, now: float, *, connected: bool) -> bool:
        """Tell whether to take no tasks now; ``connected``: whether the link stands over which the device is told."""
        is_told = connected and self._asked.done() and not self._asked.cancelled()
        return self._is_to_rest or (not is_told and now < self._waits_until)

    def _on_cancelled(self, answer: "Future[bytes]") -> None:
        if answer.cancelled():
            return
        try:
            cancelled = read_cancelled(answer.result())
        except InvalidMessage as error:
            log.warning("cancellations.unread", extra={"reason": str(error)})
            return
        log.info("cancellations.told", extra={"tasks": len(cancelled)})
        self.cancellations.add(cancelled)

    def _on_order(
        self, channel: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        channel.basic_ack(method.delivery_tag or 0)
        order = read_order(properties.user_id, body)
        if order is None:
            return
        if order.duty is not None:
            self._is_to_rest = order.duty is Duty.REST
        self.cancellations.add(order.cancel)
        self._on_order_taken(order)
        event = {"duty": order.duty and str(order.duty), "cancelled": len(order.cancel)}
        log.info("order.taken", extra=event | {"probe": order.probe and order.probe.cycle})
