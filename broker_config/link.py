"""A link: one connection to RabbitMQ that a thread of its own keeps alive.

Any thread may publish, and sends what it publishes itself. Publications are confirmed by the broker, many at a time;
those that a lost connection left unconfirmed are published again by the next one, so a message arrives at least once.
"""

import logging
import random
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

import pika
from pika.adapters.utils.selector_ioloop_adapter import SelectorIOServicesAdapter
from pika.channel import Channel
from pika.exceptions import ChannelClosedByBroker

from broker_config.address import parameters, safe_address
from broker_config.errors import BrokerError, BrokerRefused, BrokerUnreachable, BrokerUntrusted, PublishRejected
from broker_config.loop import Loop
from broker_config.pause import pause
from broker_config.publication import Publication
from broker_config.readable import ReadableConnection
from broker_config.refusal import is_refusal, root_cause, unreachable
from broker_config.tls import untrusted

log = logging.getLogger(__name__)


class Link:
    """One connection to RabbitMQ, kept alive, with one channel in confirm mode.

    Args:
        url: the broker's address.
        name: shown as the connection's name at the broker.
        on_channel: called on the link's thread with each new channel and a function to call when everything
            that it set up there (declarations, consumers) stands; publishing begins then.
        on_leave: called on the link's thread with the channel, as the last thing before the link disconnects.
        ca: the authority that the broker's certificate must be from, as PEM text; see :mod:`broker_config.tls`.

    Raises:
        BadAddress, BrokerUntrusted, SettingError: the address is none, not safe, or its authority cannot be read.
    """

    def __init__(
        self,
        url: str,
        name: str,
        on_channel: Callable[[Channel, Callable[[], None]], None] | None = None,
        on_leave: Callable[[Channel], None] | None = None,
        ca: str | None = None,
    ) -> None:
        self.address = safe_address(url)
        self._parameters = parameters(url, ca)
        self._parameters.client_properties = {"connection_name": name}
        self._on_channel = on_channel
        self._on_leave = on_leave
        self._lock = threading.RLock()
        self._outbox: deque[Publication] = deque()
        self._unconfirmed: OrderedDict[int, Publication] = OrderedDict()
        self._published = 0
        self._suspects = 0
        self._closing = False
        self._ready = threading.Event()
        self._refused: BrokerRefused | None = None
        self._failure: BaseException | None = None
        self._over: BrokerError | None = None
        self._connection: ReadableConnection | None = None
        self._loop: Loop | None = None
        self._channel: Channel | None = None
        self._idle = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name=f"link {name}", daemon=True)

    def open(self, timeout: float) -> None:
        """Connect, waiting at most ``timeout`` seconds.

        Raises:
            BrokerUnreachable: nobody answered in time.
            BrokerRefused, BrokerUntrusted: the login or the set-up was refused; the certificate is not to be trusted.
        """
        self._thread.start()
        deadline = time.monotonic() + timeout
        while not self._ready.wait(0.02):
            hopeless = self._refused or (self._failure if isinstance(self._failure, BrokerUntrusted) else None)
            if hopeless or time.monotonic() > deadline:
                self.close(0)
                raise hopeless or unreachable(self.address, timeout, self._failure)

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands and is set up at this moment."""
        return self._ready.is_set()

    @property
    def over(self) -> BrokerError | None:
        """Why there will be no connection any more: it was closed, or another one was refused."""
        return self._over

    def publish(self, publication: Publication) -> "Future[None]":
        """Hand a message to the link and return the future of its confirmation.

        Cancelling the future withdraws a message that is not sent yet. The future raises :class:`PublishRejected`
        when a queue is full, :class:`BrokerRefused` when the user may not publish there, :class:`BrokerUnreachable`
        when the link is closed first. A link that is closed, or was refused another connection, raises at once.
        """
        self.publish_all((publication,))
        return publication.confirmed

    def publish_all(self, publications: Iterable[Publication]) -> None:
        """Hand over several messages, which leave together; each has its future, as :meth:`publish` says."""
        self._put(publications)
        while self._may_send() and threading.current_thread() is not self._thread:
            if not self._lock.acquire(blocking=False):
                return  # its holder looks again after it has let go
            try:
                if self._loop:
                    self._loop.flush()
            finally:
                self._lock.release()

    def call_soon(self, function: Callable[[], None]) -> None:
        """Run a function on the link's thread soon; it is dropped when there is no connection."""
        if loop := self._loop:
            loop.add_callback(function)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Run a function on the link's thread later; it is dropped with the connection. Call it on that thread."""
        if loop := self._loop:
            loop.call_later(seconds, function)

    def close(self, timeout: float = 5.0) -> None:
        """Wait at most ``timeout`` seconds for confirmations, then disconnect. Closing twice is harmless."""
        with self._idle:
            self._idle.wait_for(lambda: self._closing or not (self._outbox or self._unconfirmed), timeout)
            self._closing = True
            self._idle.notify_all()
        self.call_soon(self._disconnect)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5.0)
        self._abandon(BrokerUnreachable(f"The connection to {self.address} is closed."))

    # From here on, everything runs on the thread that holds the lock, and but for sending that is the link's.

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
        loop = Loop(self._lock, self._fill, self._may_send)
        connection = ReadableConnection(
            self._parameters, self._on_open, self._on_open_error, self._on_close, SelectorIOServicesAdapter(loop)
        )
        self._connection, self._loop = connection, loop
        try:
            if not self._closing:  # it could not be told before
                loop.start()
        finally:
            with self._lock:  # no other thread must meet a loop that is closed
                self._connection = self._loop = self._channel = None
                self._recall()
            loop.close()
            connection.close_socket()

    def _on_open(self, connection: ReadableConnection) -> None:
        if self._loop:
            self._loop.eager = True
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

    def _put(self, publications: Iterable[Publication]) -> None:
        if self._over:
            raise self._over
        self._outbox.extend(publications)
        if self._over:  # by now
            self._abandon(self._over)

    def _may_send(self) -> bool:
        channel = self._channel
        if not self._outbox or channel is None or not channel.is_open or not self._ready.is_set():
            return False
        return not (self._suspects and self._unconfirmed)

    def _fill(self) -> None:
        if self._channel and self._may_send():
            batch = self._next()
            self._unconfirmed.update(enumerate(batch, self._published + 1))
            self._published += len(batch)
            for one in batch:
                self._channel.basic_publish(one.exchange, one.key, one.body, one.properties)
        if self._connection:
            self._connection.send()

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
        done = self._take(method.delivery_tag, method.multiple)
        self._suspects = max(self._suspects - len(done), 0)
        self._idle.notify_all()
        if isinstance(method, pika.spec.Basic.Ack):
            for publication in done:
                publication.settle()
        else:
            for publication in done:
                publication.settle(PublishRejected(f"A queue for {publication.key} is full."))

    def _take(self, tag: int, multiple: bool) -> list[Publication]:
        """Return what was confirmed: that one, or all up to it."""
        if not multiple:
            return [one] if (one := self._unconfirmed.pop(tag, None)) else []
        done = []
        while self._unconfirmed and next(iter(self._unconfirmed)) <= tag:
            done.append(self._unconfirmed.popitem(last=False)[1])
        return done

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
        if len(self._unconfirmed) > 1:
            self._suspects = len(self._unconfirmed)
            return
        refused, self._unconfirmed = list(self._unconfirmed.values()), OrderedDict()
        self._suspects = max(self._suspects - len(refused), 0)
        for publication in refused:
            publication.settle(refusal)

    def _on_open_error(self, connection: Any, error: BaseException | str) -> None:
        cause = root_cause(error) if isinstance(error, BaseException) else BrokerError(error)
        self._failure = untrusted(cause, self.address) or cause
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
        self._outbox.extendleft(reversed(self._unconfirmed.values()))
        self._unconfirmed = OrderedDict()

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
        self._over = self._over or error
        with self._lock:
            left = [*self._unconfirmed.values(), *self._outbox]
            self._unconfirmed, self._outbox = OrderedDict(), deque()
        for publication in left:
            publication.settle(error)
