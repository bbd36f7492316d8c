"""The device's Celery consumer: keeps its rungs at the broker, hands tasks to the pool, settles messages.

Celery's own steps are left out on purpose: a device may declare nothing, sends no events, takes no remote control,
and consumes with a priority per rung. One loop serves every system, because Celery's event loop does not run on
Windows, and without it Celery sends no heartbeats.
"""

import logging
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Connection, Consumer

from tasks.inference import Verdict
from tasks.message import JunkError, read_task
from worker.device import Device
from worker.ladder import Delivery, Ladder, Rung

log = logging.getLogger(__name__)

#: Seconds between two looks at what is due, when nothing arrives.
_TICK = 0.1
#: Heartbeats are checked this often; the broker asks for one every 10 s.
_HEARTBEAT_CHECK = 1.0


class Serve(bootsteps.StartStopStep):
    """The consumer's only step after connecting."""

    requires = (Connection,)
    last = True

    def start(self, parent: Any) -> None:
        """Serve until the connection is lost or the worker is told to stop."""
        parent.serve()


class DeviceConsumer(Consumer):  # type: ignore[misc]
    """Consumes the task queues of the device that ``app.device`` names."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        """Connect, then serve."""

        default_steps = (Connection, Serve)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waker, self._wake = socket.socketpair()
        self._waker.setblocking(False)
        self._wake.setblocking(False)
        self.event_dispatcher = self.task_consumer = self.qos = None
        super().__init__(*args, **kwargs)
        # Without an event loop Celery turns heartbeats off (celery/worker/consumer/consumer.py, __init__).
        self.amqheartbeat = self.app.conf.broker_heartbeat
        self._device: Device = self.app.device
        self._grace: float = self.app.conf.device_grace
        self._stop_at: float | None = None

    def call_soon(self, p: Any, *args: Any, **kwargs: Any) -> None:
        """Run a function on the consumer's thread at once, from any thread."""
        self._pending_operations.append(lambda: p(*args, **kwargs))
        with suppress(BlockingIOError):  # a full pipe wakes as well
            self._wake.send(b"\0")

    def serve(self) -> None:
        """Run the loop for one connection."""
        with self._channel() as channel:
            log.info("device.consuming", extra={"device": self._device.id})
            self.on_ready()
            beat = 0.0
            while self.blueprint.state == bootsteps.RUN and self.connection:
                self.perform_pending_operations()
                self._move(channel)
                self._stop_when_drained()
                if time.monotonic() - beat > _HEARTBEAT_CHECK:
                    beat = time.monotonic()
                    self.connection.heartbeat_check()
                self._drain()

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        channel = self.connection.channel()
        channel.auto_decode = False  # a stranger's content-encoding is not to be trusted
        channel.basic_qos(0, 1, False)
        try:
            yield channel
        finally:
            for ladder in self._device.ladders:
                ladder.lose_connection()

    def _move(self, channel: Any) -> None:
        for ladder in self._device.ladders:
            moves = ladder.moves(time.monotonic())
            for rung in moves.close:
                # Deliveries that cross the cancel still reach the callback, and are held: py-amqp keeps it
                # until cancel-ok.
                channel.basic_cancel(rung.tag)
                rung.tag = None
            for delivery in moves.give_back:
                channel.basic_nack(delivery.tag, requeue=True)
            for rung in moves.open:
                self._open(channel, ladder, rung)
            for delivery in moves.start:
                self.pool.apply_async(self._device.work, (delivery, self._finish_soon(channel)), callback=_ignore)

    def _open(self, channel: Any, ladder: Ladder, rung: Rung) -> None:
        # The broker chooses the tag: a fresh one each time, as 3.10's quorum queues need (rabbitmq-server 5927).
        rung.tag = channel.basic_consume(
            rung.queue,
            arguments={"x-priority": rung.priority},
            callback=lambda message: self._arrive(channel, ladder, rung, message),
        )

    def _arrive(self, channel: Any, ladder: Ladder, rung: Rung, message: Any) -> None:
        headers = message.properties.get("application_headers") or {}
        redelivered = bool(message.delivery_info["redelivered"])
        try:
            task = read_task(headers, message.properties, message.body, redelivered=redelivered)
        except JunkError as junk:
            self._device.refuse(junk)
            channel.basic_reject(message.delivery_tag, requeue=False)
            return
        ladder.arrive(Delivery(rung, message.delivery_tag, task, time.monotonic()))

    def _finish_soon(self, channel: Any) -> Any:
        return lambda delivery, verdict: self.call_soon(self._finish, channel, delivery, verdict)

    def _finish(self, channel: Any, delivery: Delivery, verdict: Verdict) -> None:
        self._device.finished(delivery, verdict)
        if verdict is Verdict.RETURN:
            self._move(channel)  # closes the paused rungs first, or the task would come straight back
        if delivery.lost:
            return
        if verdict is Verdict.ACKNOWLEDGE:
            channel.basic_ack(delivery.tag)
        else:
            channel.basic_nack(delivery.tag, requeue=True)

    def _stop_when_drained(self) -> None:
        if state.should_stop is None:
            return
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self._grace
            for ladder in self._device.ladders:
                ladder.drain()
        elif self._device.idle or time.monotonic() > self._stop_at:
            self._device.close()
            state.maybe_shutdown()

    def _drain(self) -> None:
        """Wait for the broker or a finished task, then read everything that has arrived."""
        broker = self.connection.connection.sock
        readable, _, _ = select.select([broker, self._waker], [], [], _TICK)
        if self._waker in readable:
            self._waker.recv(4096)
        with suppress(TimeoutError):
            while self.connection:
                self.connection.drain_events(timeout=0)


def _ignore(_: Any) -> None:
    """The pool insists on a callback; the task has told its end by itself."""
