"""The device between its queues and its models: what it hosts, what it runs, what it says."""

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from pika.channel import Channel

from broker_config.address import user_of
from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerError, Cancelled, ModelError
from starai.report import report_publication
from starai.wire import Report, State
from tasks.inference import infer
from tasks.message import JunkError, Task
from tasks.order import Order
from worker.beginnings import Beginnings, tell_first
from worker.clearance import Attempts, NotCleared
from worker.enrolment import Enrolment
from worker.greeting import Greeting
from worker.host import Host
from worker.junk import LENGTH, junk_report
from worker.ladder import Ladder
from worker.load_sample import LoadSampler
from worker.network_clock import NetworkClock
from worker.orders import Orders
from worker.probes import Prober
from worker.questions import Questions
from worker.readings import Machine, take_readings
from worker.recovery import NotedModel, Recovery
from worker.results_link import ResultsLink
from worker.rung import Delivery, Rung
from worker.verdict import Verdict, verdict_on

log = logging.getLogger(__name__)

#: Seconds within which the broker has to take the report of a task's end, or the task goes to another device.
CONFIRMED_WITHIN = 30.0
_UNDER_WAY = frozenset({State.PIECE, State.PROGRESS})


class Device:
    """Holds a ladder and a host for each deployment, and the link over which results leave.

    Results have a connection of their own: closing the one that brings tasks takes a device out of work without
    cutting off what it has to say.

    Args:
        enrolment: who it is and what it hosts.
        hosts: the models.
        keys: the file with its keys, by which it signs what it says of its health; without one it does not sign.
        mend: makes the model of that name ready again that failed a task, or raises whatever keeps it from that.
    """

    def __init__(
        self,
        enrolment: Enrolment,
        hosts: Mapping[str, Host],
        *,
        keys: Path | None = None,
        mend: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.id = enrolment.device
        self.ladders = [Ladder(enrolment.region, d, sound=enrolment.sound) for d in enrolment.deployments]
        self._load: LoadSampler | None = None
        self._region = enrolment.region
        self._url = enrolment.url.get_secret_value()
        self._ca = enrolment.ca
        self._user = user_of(self._url)
        self._hosts = hosts
        self._clock = NetworkClock()
        self._questions = Questions(self._user, self._clock)
        self._orders = Orders(self.id, self._questions, self._on_order, self._clock.now)
        self._greeting = Greeting(self._questions, sound=enrolment.sound)
        self._attempts = Attempts(self.ask)
        self._recoveries = {d.model: Recovery(d.model, partial(mend, d.model)) for d in enrolment.deployments}
        self._machine = Machine()
        self._prober = Prober(self._user, keys, lambda: take_readings(self, self._machine), self._publish)
        self._link = ResultsLink(self._new_link)
        self._beginnings = Beginnings()
        self._unconfirmed: deque[tuple[float, Future[None]]] = deque()
        #: Why it takes no tasks by its owner's wish, or ``None``.
        self.paused: str | None = None
        #: How many tasks ended here, and how many it could not do and returned.
        self.done = self.failed = 0

    def open(self) -> None:
        """Connect for results.

        Raises:
            BrokerUnreachable, BrokerRefused: the broker could not be reached or refused the login.
        """
        self._link.open()

    def watch_load(self) -> None:
        """Begin to measure what else this machine is under; the models are loaded, which is no load."""
        self._load = LoadSampler(self._hosts)
        self._load.start()

    def watch_machine(self) -> None:
        """Begin to read what a probe asks of this machine, so that the first one is answered at once."""
        self._machine.begin()

    def load(self, ladder: Ladder) -> float:
        """Return what the device is under besides that ladder's own tasks, from 0.0 to 1.0."""
        return self._load.step(ladder.deployment.model) if self._load else 0.0

    @property
    def others_cpu(self) -> float | None:
        """The share of all processors that programs use which are not this device's; ``None`` before it is measured."""
        return self._load.programs if self._load else None

    def close(self) -> None:
        """Disconnect and end the models; what still runs is another device's from then on, so nothing is said of it."""
        if self._load:
            self._load.stop()
        for recovery in self._recoveries.values():
            recovery.stop()
        self._link.close(timeout=2.0)
        for host in self._hosts.values():
            host.close()

    @property
    def resting(self) -> bool:
        """Whether this device is to take no tasks: it was told so, or does not know yet what was cancelled."""
        return self.paused is not None or self._orders.is_resting(time.monotonic(), connected=self._link.is_connected)

    @property
    def sound(self) -> bool:
        """Whether it is in the upper band, as the platform told it last."""
        return self._greeting.sound

    @property
    def is_connected(self) -> bool:
        """Whether the link of its results stands at this moment."""
        return self._link.is_connected

    @property
    def broken(self) -> dict[str, str]:
        """The models that could not be made ready after they failed, each with the reason."""
        return {model: found.reason for model, found in self._recoveries.items() if found.reason is not None}

    def is_recovering(self, ladder: Ladder) -> bool:
        """Tell whether the ladder's model failed a while ago, and takes no tasks yet."""
        return self._recoveries[ladder.deployment.model].is_under_way

    def has_failed_at(self, task: Task) -> bool:
        """Tell whether the task was begun here before, and failed by this device's fault."""
        return self._attempts.has_failed_at(task)

    def leave_to_others(self, ladder: Ladder, task: Task) -> None:
        """Let the ladder take nothing for a while: it was given a task that failed here, and that others can do."""
        log.info("task.left_to_others", extra={"task": task.id})
        self._recoveries[ladder.deployment.model].failed()

    def ask(self, key: str, body: bytes, within: float) -> "Future[bytes]":
        """Ask the platform under that key of ``reports``; see :meth:`Questions.ask`.

        Raises:
            BrokerError: the link is closed, or was refused.
        """
        return self._questions.ask(self._link, key, body, within)

    def say_goodbye(self, left: int, within: float) -> bool:
        """Tell the platform that this device goes by its owner's choice, and from then on hello no more.

        Args:
            left: how many of its tasks it leaves to others.
            within: seconds to wait for the answer.

        Returns:
            Whether the platform answered.
        """
        return self._greeting.goodbye(self._link, left, within)

    def begin_connection(self) -> None:
        """The connection for tasks stands; what was ordered during the last one is void."""
        self._orders.begin_connection(time.monotonic())

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing is held."""
        return all(ladder.idle for ladder in self.ladders)

    @property
    def running(self) -> int:
        """How many tasks run."""
        return sum(ladder.running for ladder in self.ladders)

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
        confirmed.add_done_callback(lambda _: done(delivery, verdict_on(delivery.task, began, confirmed)))

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
        if verdict is Verdict.ACKNOWLEDGE:
            self.done += 1
        else:
            self.failed += 1
            self._recoveries[ladder.deployment.model].failed()

    def refuse(self, junk: JunkError) -> None:
        """Tell the sender of junk, where it said who it is, that it is junk."""
        reason = str(junk)[:LENGTH]
        log.warning("task.junk", extra={"task": junk.task, "reason": reason})
        if junk.task and junk.reply_to:
            self._say(junk.reply_to, junk_report(junk.task, reason, self.id, self._region))

    def _could_not(self, task: Task, error: Exception) -> None:
        event = {"task": task.id, "reason": str(error)}
        if isinstance(error, ModelError):
            self._attempts.note_failure(task)
            log.error("task.failed", extra=event, exc_info=error.__cause__)
        elif isinstance(error, BrokerError):
            log.warning("task.unreported", extra=event)
        else:
            log.error("task.crashed", extra=event, exc_info=error)

    def _infer(self, task: Task, model: str) -> "Future[None]":
        run = uuid.uuid4().hex

        def say(report: Report) -> "Future[None]":
            if report.state is State.STARTED:
                beginning = self._publication(task.reply_to, report)
                self._beginnings.add(run, beginning) if begun.on_record else tell_first(self._link, beginning)
                return beginning.confirmed
            if report.state in _UNDER_WAY:
                return self._say(task.reply_to, report)
            self._beginnings.drop(run)
            return self._say(task.reply_to, report)

        with self._orders.cancellations.running(task) as stop:
            begun = self._attempts.begin(task, run, model)
            known = self._clock.by_own_clock(begun.task)
            noted = NotedModel(self._hosts[model], self._recoveries[model])
            try:
                return infer(known, run, noted, say, stop, device=self.id, region=self._region)
            finally:
                self._beginnings.drop(run)

    def _say(self, reply_to: str, report: Report) -> "Future[None]":
        return self._publish(self._publication(reply_to, report))

    def _publish(self, publication: Publication) -> "Future[None]":
        return self._link.publish(publication)

    def _publication(self, reply_to: str, report: Report) -> Publication:
        return report_publication(report, reply_to, self._user)

    def _new_link(self) -> Link:
        def listen(channel: Channel, ready: Callable[[], None]) -> None:
            self._questions.listen(channel)
            self._greeting.hello(link)
            self._orders.listen(channel, link, ready)

        link = Link(self._url, f"{self.id} results", listen, ca=self._ca)
        return link

    def _on_order(self, order: Order) -> None:
        if order.sound is not None:
            self._greeting.order(sound=order.sound)
        if order.probe is not None:
            self._prober.ask(order.probe)
