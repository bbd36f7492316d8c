"""The client: submit a task to the network, get its result."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from types import TracebackType
from typing import Self

import pika
from pika.channel import Channel
from pydantic import ValidationError

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from broker_config.regions import Region, parse_region
from starai.errors import BadInput, BrokerError, BrokerUnreachable, ClientClosed, PublishRejected, Rejected
from starai.job import Job, Vector
from starai.settings import find_network
from starai.submission import DEADLINE, Submission, publication, submission
from starai.wire import MAX_BODY, MAX_TEXTS, Report

log = logging.getLogger(__name__)

#: Milliseconds that a reply queue waits for its client to come back before the broker deletes it.
REPLY_EXPIRES = 3_600_000
_REPLY_PREFETCH = 1000


class Client:
    """A submitter's connection to the network. Safe to share between threads.

    Args:
        url: the broker's address; by default ``STARAI_BROKER_URL``, else this machine's own network.
        region: where the submitter is; by default ``STARAI_REGION``, else what the local network says.
        timeout: seconds to wait for the broker, to connect and to take a task.

    Raises:
        SettingError: no network is known.
        BrokerUnreachable, BrokerRefused: it could not be reached, or refused the login.
        InvalidName: there is no such region.
    """

    def __init__(self, url: str | None = None, *, region: str | None = None, timeout: float = 5.0) -> None:
        address, self.region = find_network(url, region)
        self._timeout = timeout
        self._user = user_of(address)
        self._reply_to = names.new_reply_queue(self._user)
        self._jobs: dict[str, Job] = {}
        self._closed = False
        self._link = Link(address, f"starai client {self._user}", self._set_up, self._leave)
        self._link.open(timeout)

    def submit(
        self,
        model: str,
        inputs: str | Sequence[str],
        *,
        region: str | None = None,
        deadline: float = DEADLINE,
    ) -> Job:
        """Submit one task and return its job once the broker has taken it.

        Args:
            model: a model's name, or a tier's for the tier's default model.
            inputs: one text, or a list of at most ``MAX_TEXTS``. A text longer than the model reads is
                truncated by the model.
            region: where to look for a device first; by default the client's region.
            deadline: seconds after which the task is not worth doing any more.

        Raises:
            BadInput: the inputs are not that.
            InvalidName: the model's name or the region cannot be one.
            Rejected: the model's queue is full.
            ClientClosed: this client is closed.
            BrokerUnreachable: the broker did not take it in time; the task is withdrawn.
        """
        job, confirmed = self._send(submission(model, inputs, self._region(region), deadline))
        try:
            confirmed.result(self._timeout)
        except TimeoutError as error:
            if confirmed.cancel():  # otherwise it was taken at the last moment
                self._jobs.pop(job.id, None)
                raise BrokerUnreachable(
                    f"The broker at {self._link.address} did not take task {job.id} within {self._timeout:g} s."
                ) from error
        except PublishRejected:
            job.result(self._timeout)  # its callback runs after this future's waiters were woken
        return job

    def map(
        self,
        model: str,
        inputs: Iterable[str],
        *,
        region: str | None = None,
        batch: int = 32,
        in_flight: int = 32,
        deadline: float = DEADLINE,
    ) -> Iterator[Vector]:
        """Return an iterator over the answers to many texts, in their order.

        The texts are split into tasks of ``batch`` of them, of which at most ``in_flight`` are under way; the
        inputs are read no faster than that. The first error ends the iteration.
        """
        if isinstance(inputs, str):
            raise BadInput("map() takes many texts, not one text: use submit().")
        if not 1 <= batch <= MAX_TEXTS or in_flight < 1:
            raise BadInput(f"map() needs a batch of 1 to {MAX_TEXTS} and at least 1 task in flight.")
        return self._map(model, iter(inputs), self._region(region), batch, in_flight, deadline)

    def close(self) -> None:
        """Wait for what is on its way to the broker, then delete the reply queue and disconnect.

        Jobs without a result end as closed.
        """
        if self._closed:
            return
        self._closed = True
        self._link.close(self._timeout)
        for job in list(self._jobs.values()):
            job.fail(ClientClosed(f"The client was closed before task {job.id} ended."))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _region(self, region: str | None) -> Region:
        return parse_region(region) if region else self.region

    def _map(
        self, model: str, inputs: Iterator[str], region: Region, batch: int, in_flight: int, deadline: float
    ) -> Iterator[Vector]:
        under_way: deque[Job] = deque()
        while True:
            while len(under_way) < in_flight and (texts := list(islice(inputs, batch))):
                under_way.append(self._send(submission(model, texts, region, deadline))[0])
            if not under_way:
                return
            yield from under_way.popleft().result()

    def _send(self, task: Submission) -> tuple[Job, "Future[None]"]:
        if self._closed:
            raise ClientClosed("This client is closed: make a new one.")
        job = Job(task.task, task.model, task.deadline, task.rows)
        self._jobs[job.id] = job
        confirmed = self._link.publish(publication(task, self._user, self._reply_to))
        confirmed.add_done_callback(lambda future: self._settle(job, future))
        return job, confirmed

    def _settle(self, job: Job, confirmed: "Future[None]") -> None:
        error = None if confirmed.cancelled() else confirmed.exception()
        if error is None:
            return
        self._jobs.pop(job.id, None)
        if isinstance(error, PublishRejected):
            full = Rejected(f"Task {job.id} was not taken: the queue of {job.model} is full. Try later.", job.id)
            full.__cause__ = error
            job.fail(full)
        elif isinstance(error, BrokerError):
            job.fail(error)

    def _set_up(self, channel: Channel, ready: Callable[[], None]) -> None:
        arguments = {"x-queue-type": "classic", "x-expires": REPLY_EXPIRES}
        # The broker cancels when the queue is gone; a new channel declares it anew.
        channel.add_on_cancel_callback(lambda _: None if self._closed else channel.close())
        channel.queue_declare(self._reply_to, durable=True, arguments=arguments)
        channel.queue_bind(self._reply_to, names.RESULTS, f"{self._reply_to}.*")
        channel.basic_qos(prefetch_count=_REPLY_PREFETCH)
        channel.basic_consume(self._reply_to, self._on_message, callback=lambda _: ready())

    def _leave(self, channel: Channel) -> None:
        channel.queue_delete(self._reply_to)

    def _on_message(
        self, channel: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        report = _read(properties, body)
        job = self._jobs.get(report.task) if report else None
        if report and job:
            job.receive(report)
            if job.done:
                self._jobs.pop(job.id, None)
        channel.basic_ack(method.delivery_tag or 0)


def _read(properties: pika.BasicProperties, body: bytes) -> Report | None:
    """Return the report in a message, or nothing when it is junk or its sender is not who it says."""
    try:
        report = Report.model_validate_json(body) if len(body) <= MAX_BODY else None
    except ValidationError:
        report = None
    # Only the broker vouches for a sender: a device for itself, the platform for the rest.
    if report is None or properties.user_id != (report.device or names.PLATFORM):
        log.warning("client.report_dropped", extra={"user": properties.user_id, "bytes": len(body)})
        return None
    return report
