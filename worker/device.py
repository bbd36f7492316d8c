"""The device between its queues and its models: what it hosts, what it runs, what it says."""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from enum import Enum
from typing import Protocol

from pika.channel import Channel

from broker_config.address import user_of
from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerError, BrokerRefused, Cancelled, ModelError, PublishRejected
from starai.report import report_publication
from starai.wire import Failure, Reason, Report, State
from tasks.inference import Model, infer
from tasks.message import JunkError, Task
from worker.beginnings import Beginnings
from worker.clearance import Attempts, NotCleared
from worker.enrolment import Enrolment
from worker.ladder import Ladder
from worker.load_sample import LoadSampler
from worker.orders import Orders
from worker.questions import Questions
from worker.rung import Delivery, Rung

log = logging.getLogger(__name__)

#: Seconds for which a model that failed a task takes no other: another device gets it.
FAILURE_PAUSE = 5.0
#: Seconds within which the broker has to take the report of a task's end, or the task goes to another device.
CONFIRMED_WITHIN = 30.0

# Seconds for a connection to stand.
_OPEN_TIMEOUT = 5.0
_JUNK_LENGTH = 500


class Verdict(Enum):
    """What is to become of a task's message."""

    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"


class Host(Model, Protocol):
    """A model that this device hosts, until it is closed."""

    @property
    def pid(self) -> int | None:
        """The id of the process that has the model in it, or ``None`` while there is none of its own."""

    def close(self) -> None:
        """End the model; what still runs fails with a :class:`ModelError`."""


class Device:
    """Holds a ladder and a host for each deployment, and the link over which results leave.

    Results have a connection of their own: closing the one that brings tasks takes a device out of work without
    cutting off what it has to say.
    """

    def __init__(self, enrolment: Enrolment, hosts: Mapping[str, Host]) -> None:
        self.id = enrolment.device
        self.ladders = [Ladder(enrolment.region, d, sound=enrolment.sound) for d in enrolment.deployments]
        self._load: LoadSampler | None = None
        self._region = enrolment.region
        self._url = enrolment.url.get_secret_value()
        self._ca = enrolment.ca
        self._user = user_of(self._url)
        self._hosts = hosts
        self._questions = Questions(self._user)
        self._orders = Orders(self.id, self._questions)
        self._attempts = Attempts(lambda key, body, within: self._questions.ask(self._link, key, body, within))
        self._link = self._new_link()
        self._renewing = threading.Lock()
        self._beginnings = Beginnings()
        self._unconfirmed: deque[tuple[float, Future[None]]] = deque()

    def open(self) -> None:
        """Connect for results.

        Raises:
            BrokerUnreachable, BrokerRefused: the broker could not be reached or refused the login.
        """
        self._link.open(_OPEN_TIMEOUT)

    def watch_load(self) -> None:
        """Begin to measure what else this machine is under; the models are loaded, which is no load."""
        self._load = LoadSampler(self._hosts)
        self._load.start()

    def load(self, ladder: Ladder) -> float:
        """Return what the device is under besides that ladder's own tasks, from 0.0 to 1.0."""
        return self._load.step(ladder.deployment.model) if self._load else 0.0

    def close(self) -> None:
        """Disconnect and end the models; what still runs is another device's from then on, so nothing is said of it."""
        if self._load:
            self._load.stop()
        self._link.close(timeout=2.0)
        for host in self._hosts.values():
            host.close()

    @property
    def resting(self) -> bool:
        """Whether this device is to take no tasks: it was told so, or does not know yet what was cancelled."""
        return self._orders.is_resting(time.monotonic(), connected=self._link.is_connected)

    def begin_connection(self) -> None:
        """The connection for tasks stands; what was ordered during the last one is void."""
        self._orders.begin_connection(time.monotonic())

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing is held."""
        return all(ladder.idle for ladder in self.ladders)

    def ladder_of(self, rung: Rung) -> Ladder:
        """Return the ladder to which a rung belongs."""
        return next(ladder for ladder in self.ladders if rung in ladder.rungs)

    def work(self, delivery: Delivery, done: Callable[[Delivery, Verdict], None]) -> None:
        """Do one task, on a thread of the pool; its verdict is handed on once the broker has what was said of it.

        Nobody waits for that: ``done`` is called by whoever hears it, on any thread.
        """
        began = time.monotonic()
        try:
            confirmed = self._infer(delivery.task, self.ladder_of(delivery.rung).deployment.model)
        except (Cancelled, NotCleared) as error:  # the platform has told its submitter
            log.info("task.dropped", extra={"task": delivery.task.id, "reason": str(error)})
            done(delivery, Verdict.ACKNOWLEDGE)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the slot must become free
            self._could_not(delivery.task, error)
            done(delivery, Verdict.RETURN)
            return
        self._unconfirmed.append((time.monotonic() + CONFIRMED_WITHIN, confirmed))
        confirmed.add_done_callback(lambda _: done(delivery, self._verdict(delivery.task, began, confirmed)))

    def give_up_unconfirmed(self, now: float) -> None:
        """Return the tasks of which the broker has taken no report for ``CONFIRMED_WITHIN`` seconds."""
        while self._unconfirmed and (self._unconfirmed[0][1].done() or self._unconfirmed[0][0] <= now):
            self._unconfirmed.popleft()[1].cancel()

    def tell_beginnings(self) -> None:
        """Tell of the tasks that have run for a moment that they have begun."""
        self._beginnings.tell(self._link)

    def finished(self, delivery: Delivery, verdict: Verdict) -> None:
        """Free the delivery's slot; a model that could not do its task takes none for a while."""
        ladder = self.ladder_of(delivery.rung)
        ladder.finish(delivery, time.monotonic(), returned=verdict is Verdict.RETURN)
        if verdict is Verdict.RETURN:
            ladder.pause(time.monotonic() + FAILURE_PAUSE)

    def refuse(self, junk: JunkError) -> None:
        """Tell the sender of junk, where it said who it is, that it is junk."""
        reason = str(junk)[:_JUNK_LENGTH]  # it may quote what a stranger wrote
        log.warning("task.junk", extra={"task": junk.task, "reason": reason})
        if junk.task and junk.reply_to:
            failure = Failure(reason=Reason.BAD_INPUT, message=f"The task was refused: {reason}.")
            report = Report(
                task=junk.task,
                state=State.FAILED,
                at=time.time(),
                device=self.id,
                region=self._region,
                failure=failure,
            )
            self._say(junk.reply_to, report)

    def _could_not(self, task: Task, error: Exception) -> None:
        event = {"task": task.id, "reason": str(error)}
        if isinstance(error, ModelError):
            self._attempts.note_failure(task)
            log.error("task.failed", extra=event, exc_info=error.__cause__)
        elif isinstance(error, BrokerError):
            log.warning("task.unreported", extra=event)
        else:
            log.error("task.crashed", extra=event, exc_info=error)

    @staticmethod
    def _verdict(task: Task, began: float, confirmed: "Future[None]") -> Verdict:
        event = {"task": task.id, "ms": round(1000 * (time.monotonic() - began), 1)}
        error = None if confirmed.cancelled() else confirmed.exception()
        if isinstance(error, PublishRejected):
            # Whoever lets its own reply queue fill up must not cost devices their time.
            log.warning("task.unwanted", extra={**event, "reason": str(error)})
        elif error or confirmed.cancelled():
            log.warning("task.unreported", extra={**event, "reason": str(error or "no confirmation in time")})
            return Verdict.RETURN
        log.info("task.ended", extra=event)
        return Verdict.ACKNOWLEDGE

    def _infer(self, task: Task, model: str) -> "Future[None]":
        run = uuid.uuid4().hex

        def say(report: Report) -> "Future[None]":
            if report.state is State.STARTED:
                beginning = self._publication(task.reply_to, report)
                self._beginnings.add(run, beginning)
                return beginning.confirmed
            self._beginnings.drop(run)
            return self._say(task.reply_to, report)

        with self._orders.cancellations.running(task) as stop:
            known = self._attempts.begin(task, run, model)
            try:
                return infer(known, run, self._hosts[model], say, stop, device=self.id, region=self._region)
            finally:
                self._beginnings.drop(run)

    def _say(self, reply_to: str, report: Report) -> "Future[None]":
        publication = self._publication(reply_to, report)
        link = self._link
        try:
            return link.publish(publication)
        except BrokerRefused:
            self._renew(link)
            return self._link.publish(publication)

    def _publication(self, reply_to: str, report: Report) -> Publication:
        return report_publication(report, reply_to, self._user)

    def _renew(self, ended: Link) -> None:
        """Replace a link that was refused a connection, and has ended: the device may have been let in again."""
        with self._renewing:
            if self._link is ended:
                fresh = self._new_link()
                fresh.open(_OPEN_TIMEOUT)
                self._link = fresh

    def _new_link(self) -> Link:
        def listen(channel: Channel, ready: Callable[[], None]) -> None:
            self._questions.listen(channel)
            self._orders.listen(channel, link, ready)

        link = Link(self._url, f"{self.id} results", listen, ca=self._ca)
        return link
