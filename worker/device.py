"""The device between its queues and its models: what it hosts, what it runs, what it says."""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from broker_config.address import user_of
from broker_config.errors import BrokerError
from broker_config.link import Link
from models.host import ModelHost
from starai.errors import ModelError
from starai.report import report_publication
from starai.wire import Failure, Reason, Report, State
from tasks.inference import Verdict, infer
from tasks.message import JunkError, Task
from worker.enrolment import Enrolment
from worker.ladder import Delivery, Ladder, Rung

log = logging.getLogger(__name__)

#: Seconds for which a model that failed a task takes no other: another device gets it.
FAILURE_PAUSE = 5.0


class Device:
    """Holds a ladder and a host for each deployment, and the link over which results leave.

    Results have a connection of their own: closing the one that brings tasks takes a device out of work without
    cutting off what it has to say.
    """

    def __init__(self, enrolment: Enrolment, hosts: Mapping[str, ModelHost]) -> None:
        url = enrolment.url.get_secret_value()
        self.id = enrolment.device
        self._region = enrolment.region
        self._user = user_of(url)
        self._hosts = hosts
        self.ladders = [Ladder(enrolment.region, deployment) for deployment in enrolment.deployments]
        self._link = Link(url, f"{self.id} results")

    def open(self, timeout: float = 10.0) -> None:
        """Connect for results; the models were loaded before.

        Raises:
            BrokerUnreachable, BrokerRefused: the broker could not be reached or refused the login.
        """
        self._link.open(timeout)

    def close(self) -> None:
        """End the models' processes and disconnect; what still runs is another device's from then on."""
        for host in self._hosts.values():
            host.close()
        self._link.close(timeout=2.0)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing is held."""
        return all(ladder.idle for ladder in self.ladders)

    def ladder_of(self, rung: Rung) -> Ladder:
        """Return the ladder to which a rung belongs."""
        return next(ladder for ladder in self.ladders if rung in ladder.rungs)

    def work(self, delivery: Delivery, done: Callable[[Delivery, Verdict], None]) -> None:
        """Do one task, on a thread of the pool, and hand its verdict on."""
        verdict = Verdict.RETURN
        try:
            verdict = self._infer(delivery.task, self.ladder_of(delivery.rung).deployment.model)
        except BrokerError as error:
            log.warning("task.unreported", extra={"task": delivery.task.id, "reason": str(error)})
        finally:
            done(delivery, verdict)

    def finished(self, delivery: Delivery, verdict: Verdict) -> None:
        """Free the delivery's slot; a model that could not do its task takes none for a while."""
        ladder = self.ladder_of(delivery.rung)
        ladder.finish(delivery)
        if verdict is Verdict.RETURN:
            ladder.pause(time.monotonic() + FAILURE_PAUSE)

    def refuse(self, junk: JunkError) -> None:
        """Tell the sender of junk, where it said who it is, that it is junk."""
        log.warning("task.junk", extra={"task": junk.task, "reason": str(junk)})
        if junk.task and junk.reply_to:
            failure = Failure(reason=Reason.BAD_INPUT, message=f"The task was refused: {junk}.")
            report = Report(
                task=junk.task,
                state=State.FAILED,
                at=time.time(),
                device=self.id,
                region=self._region,
                failure=failure,
            )
            self._say(junk.reply_to, report)

    def _infer(self, task: Task, model: str) -> Verdict:
        run = uuid.uuid4().hex
        started = time.monotonic()

        def say(report: Report) -> "Future[None]":
            return self._say(task.reply_to, report)

        try:
            verdict = infer(task, run, self._hosts[model], say, device=self.id, region=self._region)
        except ModelError as error:
            log.error("task.failed", extra={"task": task.id, "model": model, "reason": str(error)})
            return Verdict.RETURN
        spent = round(1000 * (time.monotonic() - started), 1)
        log.info("task.ended", extra={"task": task.id, "model": model, "verdict": verdict.value, "ms": spent})
        return verdict

    def _say(self, reply_to: str, report: Report) -> "Future[None]":
        return self._link.publish(report_publication(report, reply_to, self._user))
