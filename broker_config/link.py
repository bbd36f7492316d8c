"""A link: one connection to RabbitMQ that a thread of its own keeps alive.

Any thread may publish. Publications are confirmed by the broker, many at a time; those that a lost connection
left unconfirmed are published again by the next one, so a message arrives at least once.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.channel import Channel
from pika.exceptions import ChannelClosedByBroker

from broker_config.address import parameters, safe_address
from broker_config.errors import BrokerError, BrokerRefused, BrokerUnreachable, PublishRejected
from broker_config.readable import ReadableConnection
from broker_config.refusal import is_refusal, root_cause

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 5.0


@dataclass(eq=False)
class Publication:
    """One message on its way out; ``confirmed`` ends when the broker has taken it, or has refused it."""

    exchange: str
    key: str
    body: bytes
    properties: pika.BasicProperties
    confirmed: "Future[None]" = field(default_factory=Future)


class Link:
    """One connection to RabbitMQ, kept alive, with one channel in confirm mode.

    Args:
        url: the broker's address.
        name: shown as the connection's name at the broker.
        on_channel: called on the link's thread with each new channel and a function to call when everything
            that it set up there (declarations, consumers) stands; publishing begins then.
        on_leave: called on the link's thread with the channel, as the last thing before the link disconnects.
    """

    def __init__(
        self,
        url: str,
        name: str,
        on_channel: Callable[[Channel, Callable[[], None]], None] | None = None,
        on_leave: Callable[[Channel], None] | None = None,
    ) -> None:
        self.address = safe_address(url)
        self._parameters = parameters(url)
        self._parameters.client_properties = {"connection_name": name}
        self._on_channel = on_channel
        self._on_leave = on_leave
        self._lock = threading.RLock()
        self._outbox: deque[Publication] = deque()
        self._unconfirmed: dict[int, Publication] = {}
        self._published = 0
        self._suspects = 0
        self._woken = False
        self._closing = False
        self._ready = threading.Event()
        self._refused: BrokerRefused | None = None
        self._failure: BaseException | None = None
        self._connection: ReadableConnection | None = None
        self._channel: Channel | None = None
        self._idle = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name=f"link {name}", daemon=True)

    def open(self, timeout: float) -> None:
        """Connect, waiting at most ``timeout`` seconds.

        Raises:
            BrokerUnreachable: nobody answered in time.
            BrokerRefused: the login or the set-up was refused.
        """
        self._thread.start()
        deadline = time.monotonic() + timeout
        while not self._ready.wait(0.02):
            if self._refused or time.monotonic() > deadline:
                self.close(0)
                raise self._refused or self._unreachable(timeout)

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands and is set up at this moment."""
        return self._ready.is_set()

    def publish(self, publication: Publication) -> "Future[None]":
        """Hand a message to the link and return the future of its confirmation.

        Cancelling the future withdraws a message that is not sent yet. The future raises
        :class:`PublishRejected` when a queue is full, :class:`BrokerRefused` when the user may not publish
        there, :class:`BrokerUnreachable` when the link is closed before a confirmation. A link that is closed, or
        was refused another connection, raises them at once.
        """
        with self._lock:
            if self._closing:
                raise BrokerUnreachable(f"The connection to {self.address} is closed.")
            if self._refused:
                raise self._refused
            self._outbox.append(publication)
            wake, self._woken = not self._woken, True
        if wake:
            self.call_soon(self._flush)
        return publication.confirmed

    def call_soon(self, function: Callable[[], None]) -> None:
        """Run a function on the link's thread soon; it is dropped when there is no connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.ioloop.add_callback_threadsafe(function)

    def close(self, timeout: float = 5.0) -> None:
        """Wait at most ``timeout`` seconds for confirmations, then disconnect. Closing twice is harmless."""
        with self._idle:
            self._idle.wait_for(lambda: self._closing or not (self._outbox or self._unconfirmed), timeout)
            self._closing = True
            self._idle.notify_all()
        self.call_soon(self._disconnect)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5.0)
        self._abandon(BrokerUnreachable(f"The connection to {self.address} was closed before it was confirmed."))

    # From here on, everything runs on the link's thread.

    def _run(self) -> None:
        attempt = 0
        while not self._closing:
            self._serve()
            attempt = 0 if self._ready.is_set() else attempt + 1
            self._ready.clear()
            if self._refused:
                self._abandon(self._refused)
                break
            with self._idle:
                self._idle.wait_for(lambda: self._closing, pause(attempt) * random.uniform(0.5, 1.0))  # noqa: S311

    def _serve(self) -> None:
        connection = ReadableConnection(
            self._parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_open_error,
            on_close_callback=self._on_close,
        )
        self._connection = connection
        try:
            connection.ioloop.start()
        finally:
            with self._lock:  # a thread in call_soon must not meet a loop that is closed
                self._connection = self._channel = None
            connection.ioloop.close()
            connection.close_socket()
            self._recall()

    def _on_open(self, connection: pika.connection.Connection) -> None:
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_close)
        channel.confirm_delivery(self._on_confirmation)
        self._channel, self._published = channel, 0
        self._on_channel(channel, self._stand) if self._on_channel else self._stand()

    def _stand(self) -> None:
        self._failure = None
        self._ready.set()
        log.info("link.connected", extra={"broker": self.address})
        self._flush()

    def _flush(self) -> None:
        channel = self._channel
        with self._lock:
            self._woken = False
            if channel is None or not channel.is_open or not self._ready.is_set():
                return
            batch = self._next()
            self._unconfirmed.update(enumerate(batch, self._published + 1))
            self._published += len(batch)
        for publication in batch:
            channel.basic_publish(publication.exchange, publication.key, publication.body, publication.properties)

    def _next(self) -> list[Publication]:
        """Take from the outbox what may be sent now: everything, but suspects one by one."""
        batch: list[Publication] = []
        while self._outbox and not (self._suspects and (batch or self._unconfirmed)):
            publication = self._outbox.popleft()
            if not publication.confirmed.cancelled():
                batch.append(publication)
        return batch

    def _on_confirmation(self, frame: pika.frame.Method[pika.spec.Basic.Ack | pika.spec.Basic.Nack]) -> None:
        method = frame.method
        with self._idle:
            tags = [method.delivery_tag]
            if method.multiple:
                tags = [tag for tag in self._unconfirmed if tag <= method.delivery_tag]
            done = [p for tag in tags if (p := self._unconfirmed.pop(tag, None))]
            self._suspects = max(self._suspects - len(done), 0)
            self._idle.notify_all()
        if isinstance(method, pika.spec.Basic.Ack):
            for publication in done:
                _settle(publication.confirmed, None)
        else:
            for publication in done:
                _settle(publication.confirmed, PublishRejected(f"A queue for {publication.key} is full."))
        self._flush()

    def _on_channel_close(self, channel: Channel, reason: Exception) -> None:
        if isinstance(reason, ChannelClosedByBroker):
            self._fail(BrokerRefused(f"The broker at {self.address} refused: {reason.reply_text}."))
        if channel.connection.is_open:
            channel.connection.close()

    def _fail(self, refusal: BrokerRefused) -> None:
        log.warning("link.refused", extra={"broker": self.address, "reason": str(refusal)})
        if not self._ready.is_set():
            self._refused = refusal
        # The broker does not say which publication it refused. One alone on its way is it; of several, each is
        # sent again alone.
        with self._lock:
            if len(self._unconfirmed) > 1:
                self._suspects = len(self._unconfirmed)
                return
            refused, self._unconfirmed = list(self._unconfirmed.values()), {}
            self._suspects = max(self._suspects - len(refused), 0)
        for publication in refused:
            _settle(publication.confirmed, refusal)

    def _on_open_error(self, connection: Any, error: BaseException | str) -> None:
        self._failure = root_cause(error) if isinstance(error, BaseException) else BrokerError(error)
        if is_refusal(self._failure):
            self._refused = BrokerRefused(f"The broker at {self.address} refused the login or the virtual host.")
            self._refused.__cause__ = self._failure
        connection.ioloop.stop()

    def _on_close(self, connection: Any, reason: BaseException) -> None:
        self._failure = reason
        if not self._closing:
            log.warning("link.lost", extra={"broker": self.address, "reason": type(reason).__name__})
        connection.ioloop.stop()

    def _recall(self) -> None:
        with self._lock:
            self._outbox.extendleft(reversed(self._unconfirmed.values()))
            self._unconfirmed = {}
            self._woken = False

    def _disconnect(self) -> None:
        connection = self._connection
        if connection is None or connection.is_closing:
            return
        if connection.is_open:
            if self._on_leave and self._channel and self._channel.is_open:
                self._on_leave(self._channel)
            connection.close()
        else:  # pika 1.4 fails an assertion of its own when it is to close a connection that is opening
            connection.ioloop.stop()

    def _abandon(self, error: BrokerError) -> None:
        with self._lock:
            left = [*self._unconfirmed.values(), *self._outbox]
            self._unconfirmed, self._outbox = {}, deque()
        for publication in left:
            _settle(publication.confirmed, error)

    def _unreachable(self, timeout: float) -> BrokerUnreachable:
        error = BrokerUnreachable(
            f"No RabbitMQ answered at {self.address} within {timeout:g} s. Is it running, and is the address right?"
        )
        error.__cause__ = self._failure
        return error


def _settle(future: "Future[None]", error: BaseException | None) -> None:
    try:
        future.set_exception(error) if error else future.set_result(None)
    except InvalidStateError:
        log.debug("link.settled_twice")


def pause(attempt: int) -> float:
    """Return the most seconds to wait before that attempt to connect again: more with each, within a bound."""
    return min(0.1 * 2.0 ** min(attempt, 10), _LONGEST_PAUSE)
