"""The device's Celery consumer: keeps its rungs at the broker, hands tasks to the pool, settles messages.

Celery's own steps are left out on purpose: a device may declare nothing, sends no events, takes no remote control,
and consumes with a priority per rung. One loop serves every system, because Celery's event loop does not run on
Windows, and without it Celery sends no heartbeats.

Nothing in the loop waits for an answer of the broker: a broker that falls silent must be noticed by its heartbeats.
"""

import logging
import select
import socket
import time
import uuid
from collections import deque
from contextlib import suppress
from typing import Any

from amqp import spec
from amqp.exceptions import AccessRefused
from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Connection, Consumer
from kombu.common import ignore_errors

from tasks.message import JunkError, read_task
from worker.backoff import Backoff
from worker.beginnings import TOLD_AFTER
from worker.departure import Departure
from worker.device import Device
from worker.frames import read_frames
from worker.ladder import Ladder
from worker.results_link import FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE
from worker.rung import Delivery, Rung
from worker.verdict import Verdict

log = logging.getLogger(__name__)

#: Seconds that the broker may be silent; the private node asks for the same.
HEARTBEAT = 10
#: Seconds before the next attempt after the broker refused a queue, as it does while the device is inactive.
REFUSED_PAUSE = 5.0

# Seconds between two looks at what is due, when nothing arrives.
_TICK = 0.1
# Heartbeats are checked this often: py-amqp sends one after half the heartbeat.
_HEARTBEAT_CHECK = 1.0


class Serve(bootsteps.StartStopStep):
    """The consumer's only step after connecting."""

    requires = (Connection,)
    last = True

    def start(self, parent: Any) -> None:
        """Serve until the connection is lost or the worker is told to stop."""
        parent.serve()


class DeviceConsumer(Consumer):
    """Consumes the task queues of the device that ``app.device`` names."""

    class Blueprint(Consumer.Blueprint):
        """Connect, then serve."""

        default_steps = (Connection, Serve)

    connection: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waker, self._wake = socket.socketpair()
        self._waker.setblocking(False)
        self._wake.setblocking(False)
        self._finished: deque[tuple[Delivery, Verdict]] = deque()
        # Deliveries of tasks that failed here before.
        self._doubtful: deque[tuple[Ladder, Delivery]] = deque()
        self._logins = Backoff(FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE)
        self._draining = False
        self._beat_at = 0.0
        self.event_dispatcher = self.task_consumer = self.qos = None
        super().__init__(*args, **kwargs)
        # Without an event loop Celery turns heartbeats off (celery/worker/consumer/consumer.py, __init__).
        self.amqheartbeat = self.app.conf.broker_heartbeat
        self._device: Device = self.app.device
        self._departure: Departure = self.app.departure

    def serve(self) -> None:
        """Run the loop for one connection; it ends by an error of the connection, or by a shutdown."""
        amqp = self.connection.connection
        # Bounds what does wait (opening the channel, a write to a broker that reads no more).
        amqp.sock.settimeout(2 * HEARTBEAT)
        try:
            channel = self._channel(amqp)
            self._logins.succeeded()
            self._device.begin_connection()
            log.info("device.consuming", extra={"device": self._device.id})
            self.on_ready()
            while self.blueprint.state == bootsteps.RUN:
                self._settle_finished(channel)
                self._move(channel)
                self._stop_when_drained()
                self._beat(amqp)
                self._wait(amqp)
        finally:
            self._doubtful.clear()
            for ladder in self._device.ladders:
                ladder.lose_connection()

    def stop(self) -> None:
        """End for good. What still runs is given up first, or Celery's pool would wait for it without a limit.

        The connection is closed at once, which hands it back: Celery would close it once all threads have ended.
        """
        self._departure.take_leave()
        super().stop()
        connection, self.connection = self.connection, None
        if connection:
            ignore_errors(connection, connection.close)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Wait after a refused login: the broker itself is retried by Celery, with its own pauses.

        The user of a blacklisted device is gone, perhaps for days: the pauses grow. They end when the link of its
        results, which tries as well, has been let in.
        """
        is_refused = isinstance(exc, AccessRefused)
        self._pause(exc, self._logins.after_failure() if is_refused else REFUSED_PAUSE, until_let_in=is_refused)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close what is left of the connection; wait after a refused or missing queue, or it would come at once."""
        super().on_connection_error_after_connected(exc)
        if isinstance(exc, self.channel_errors):
            self._pause(exc, REFUSED_PAUSE)

    def _pause(self, refusal: Exception, seconds: float, *, until_let_in: bool = False) -> None:
        event = {"device": self._device.id, "reason": str(refusal), "seconds": seconds}
        log.warning("device.refused", extra=event)
        until = time.monotonic() + seconds
        was_out = not self._device.is_connected
        while time.monotonic() < until and not (until_let_in and was_out and self._device.is_connected):
            state.maybe_shutdown()
            time.sleep(_TICK)

    @staticmethod
    def _channel(amqp: Any) -> Any:
        channel = amqp.channel()
        channel.auto_decode = False  # a stranger's content-encoding is not to be trusted
        channel.basic_qos(0, 1, False)
        return channel

    def _move(self, channel: Any) -> None:
        self._leave_to_others(channel)
        for ladder in self._device.ladders:
            ladder.set_load(self._device.load(ladder))
            ladder.set_sound(self._device.sound)
            ladder.rest(self._device.resting or self._device.is_recovering(ladder))
            moves = ladder.moves(time.monotonic())
            for delivery in moves.start:
                self.pool.apply_async(self._device.work, (delivery, self._finish_soon), callback=_ignore)
            for rung in moves.close:
                self._close(channel, rung)
            for delivery in moves.give_back:
                _nack(channel, delivery)
            for delivery in moves.acknowledge:
                channel.basic_ack(delivery.tag)
            for rung in moves.open:
                self._open(channel, ladder, rung)
            self._ask(channel, ladder, moves.look)

    @staticmethod
    def _close(channel: Any, rung: Rung) -> None:
        # Not py-amqp's basic_cancel, which waits for cancel-ok without a limit, or with nowait never removes the
        # callback. Deliveries that cross the cancel still reach the callback, and are held.
        channel.send_method(spec.Basic.Cancel, "sb", (rung.tag, False))
        rung.tag = None

    def _open(self, channel: Any, ladder: Ladder, rung: Rung) -> None:
        # A fresh tag each time, as 3.10's quorum queues need (rabbitmq-server 5927), and our own: with one from
        # the broker a delivery could come before its callback stands.
        rung.tag = uuid.uuid4().hex
        channel.basic_consume(
            rung.queue,
            consumer_tag=rung.tag,
            nowait=True,
            arguments={"x-priority": rung.priority},
            callback=lambda message: self._arrive(channel, ladder, rung, message),
        )

    def _ask(self, channel: Any, ladder: Ladder, rungs: list[Rung], *, instead: bool = False) -> None:
        """Fetch a task from the first of these queues that has one."""
        for rung in rungs:
            if message := channel.basic_get(rung.queue):
                self._arrive(channel, ladder, rung, message, instead=instead)
                return

    def _arrive(self, channel: Any, ladder: Ladder, rung: Rung, message: Any, *, instead: bool = False) -> None:
        headers = message.properties.get("application_headers") or {}
        redelivered = bool(message.delivery_info["redelivered"])
        try:
            task = read_task(headers, message.properties, message.body or b"", redelivered=redelivered)
        except JunkError as junk:
            self._device.refuse(junk)
            channel.basic_reject(message.delivery_tag, requeue=False)
            return
        delivery = Delivery(rung, message.delivery_tag, task, time.monotonic(), instead=instead)
        if self._device.has_failed_at(task):
            self._doubtful.append((ladder, delivery))
        ladder.arrive(delivery, task.submitted)

    def _leave_to_others(self, channel: Any) -> None:
        """Take nothing for a while, where a task came back that failed here and that another device can take.

        Or this device alone would use up the attempts of a task whose other devices are busy. If there is no other,
        it is begun again.
        """
        while self._doubtful:
            ladder, delivery = self._doubtful.popleft()
            own = sum(1 for rung in ladder.rungs if rung.tag and rung.queue == delivery.rung.queue)
            if channel.queue_declare(delivery.rung.queue, passive=True).consumer_count > own:
                self._device.leave_to_others(ladder, delivery.task)

    def _finish_soon(self, delivery: Delivery, verdict: Verdict) -> None:
        """Settle a delivery on the consumer's thread, at once; called on the pool's."""
        self._finished.append((delivery, verdict))
        with suppress(BlockingIOError):  # a full pipe wakes as well
            self._wake.send(b"\0")

    def _settle_finished(self, channel: Any) -> None:
        while self._finished:
            delivery, verdict = self._finished.popleft()
            self._device.finished(delivery, verdict)
            if verdict is Verdict.ACKNOWLEDGE:
                self._look_abroad(channel, delivery)
                continue
            self._move(channel)  # closes the paused rungs first, or the task would come straight back
            if not delivery.lost:
                # Not a nack: this is an attempt, and must count on every RabbitMQ.
                channel.basic_reject(delivery.tag, requeue=True)

    def _look_abroad(self, channel: Any, delivery: Delivery) -> None:
        """Where it is time, take a task from abroad before the acknowledgement brings the next one at home."""
        ladder = self._device.ladder_of(delivery.rung)
        if delivery.lost:
            return
        if turns := ladder.turns(delivery, time.monotonic()):
            self._ask(channel, ladder, turns, instead=delivery.rung.home or delivery.instead)
            self._move(channel)  # starts it, before the next one at home can come

    def _stop_when_drained(self) -> None:
        if state.should_stop is None:
            return
        if not self._draining:
            self._draining = True
            log.info("device.draining", extra={"device": self._device.id})
            for ladder in self._device.ladders:
                ladder.drain()
        elif self._device.idle or self._departure.time_left < 0:
            state.maybe_shutdown()

    def _beat(self, amqp: Any) -> None:
        self._device.tell_beginnings()
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + _HEARTBEAT_CHECK
            amqp.heartbeat_tick()
            self._device.give_up_unconfirmed(time.monotonic())

    def _wait(self, amqp: Any) -> None:
        """Wait for the broker or a finished task, then read everything that has arrived."""
        readable, _, _ = select.select([amqp.sock, self._waker], [], [], _TICK if self._device.idle else TOLD_AFTER)
        if self._waker in readable:
            self._waker.recv(4096)
        while _has_arrived(amqp.sock):
            with suppress(TimeoutError):  # TLS: it was only a part of what can be decrypted
                read_frames(amqp, _TICK)


def _nack(channel: Any, delivery: Delivery) -> None:
    # py-amqp has no basic_nack. A reject would count against the delivery limit, which from RabbitMQ 4.3 on a nack
    # does not.
    channel.send_method(spec.Basic.Nack, "Lbb", (delivery.tag, False, True))


def _has_arrived(sock: Any) -> bool:
    decrypted = getattr(sock, "pending", int)()  # TLS: what select no longer sees
    return bool(decrypted or select.select([sock], [], [], 0)[0])


def _ignore(_: Any) -> None:
    """The pool insists on a callback; the task has told its end by itself."""
