"""The client: submit a task to the network, get its result."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Self

import pika
from pika.channel import Channel

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from broker_config.regions import Region, parse_region
from starai.errors import BadInput, BrokerError, BrokerUnreachable, ClientClosed, PublishRejected, Rejected, TaskError
from starai.job import Job, Vector, ended
from starai.parts import Answers, Part, parts
from starai.report import REPLY_ARGUMENTS, read_report
from starai.settings import find_network
from starai.submission import DEADLINE, Submission, publication, submission
from starai.wire import MAX_TEXTS

_REPLY_PREFETCH = 1000
_ACKNOWLEDGE_EVERY = 100
_ACKNOWLEDGE_AFTER = 0.02
# So many tasks leave together: the broker begins on them while the next ones are made.
_AT_ONCE = 100


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
        self._seen = self._acknowledged = 0
        self._is_due = False
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
        (sent,) = self._send([submission(model, inputs, self._region(region), deadline)])
        return self._taken(*sent)

    async def asubmit(
        self, model: str, inputs: str | Sequence[str], *, region: str | None = None, deadline: float = DEADLINE
    ) -> Job:
        """Do as :meth:`submit` does, in asyncio. Cancelled, it withdraws the task if it is not on its way yet."""
        ((job, confirmed),) = self._send([submission(model, inputs, self._region(region), deadline)])
        try:
            await ended(confirmed, self._timeout)
        except asyncio.CancelledError:
            self._withdraw(job, confirmed)
            raise
        return self._taken(job, confirmed, wait=0)

    def submit_many(
        self,
        model: str,
        inputs: Iterable[str | Sequence[str]],
        *,
        region: str | None = None,
        deadline: float = DEADLINE,
    ) -> list[Job]:
        """Submit many tasks and return their jobs, in that order, once the broker has taken them all.

        Each element is one task's inputs. They are on their way together, so that this takes far less time than as
        many calls of :meth:`submit`. Nothing is submitted when one of them is not an input.

        Raises:
            Rejected, BrokerUnreachable: the first that was not taken, as :meth:`submit` says; what was not taken yet
                is withdrawn, what was taken is done all the same, and its result dropped.
        """
        if isinstance(inputs, str):
            raise BadInput("submit_many() takes the inputs of many tasks, not one text: use submit().")
        where = self._region(region)
        tasks = iter([submission(model, each, where, deadline) for each in inputs])
        sent: list[tuple[Job, Future[None]]] = []
        while some := list(islice(tasks, _AT_ONCE)):
            sent += self._send(some)
        try:
            return [self._taken(job, confirmed) for job, confirmed in sent]
        except (TaskError, BrokerError):
            for job, confirmed in sent:
                self._withdraw(job, confirmed)
            raise

    def map(
        self,
        model: str,
        inputs: Iterable[str],
        *,
        region: str | None = None,
        batch: int = 64,
        in_flight: int = 32,
        deadline: float = DEADLINE,
    ) -> Iterator[Vector]:
        """Return an iterator over the answers to many texts, in their order.

        The texts are split into tasks of ``batch`` of them, of which at most ``in_flight`` are under way. Of a list,
        texts of like length go together, and the first answers come when about a thousand are done. Other inputs are
        read no faster than that, and go in their order. The first error ends the iteration.
        """
        jobs, answers = self._jobs_of(model, inputs, self._region(region), batch, in_flight, deadline), Answers()
        return (vector for places, job in jobs for vector in answers.add(places, job.result()))

    def amap(
        self,
        model: str,
        inputs: Iterable[str],
        *,
        region: str | None = None,
        batch: int = 64,
        in_flight: int = 32,
        deadline: float = DEADLINE,
    ) -> AsyncIterator[Vector]:
        """Do as :meth:`map` does, for ``async for``."""
        jobs, answers = self._jobs_of(model, inputs, self._region(region), batch, in_flight, deadline), Answers()

        async def vectors() -> AsyncIterator[Vector]:
            for places, job in jobs:
                for vector in answers.add(places, await job):
                    yield vector

        return vectors()

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

    def _jobs_of(
        self, model: str, inputs: Iterable[str], region: Region, batch: int, in_flight: int, deadline: float
    ) -> Iterator[tuple[list[int], Job]]:
        if isinstance(inputs, str):
            raise BadInput("map() takes many texts, not one text: use submit().")
        if not 1 <= batch <= MAX_TEXTS or in_flight < 1:
            raise BadInput(f"map() needs a batch of 1 to {MAX_TEXTS} and at least 1 task in flight.")
        return self._ahead(parts(inputs, batch), lambda texts: submission(model, texts, region, deadline), in_flight)

    def _ahead(
        self, left: Iterator[Part], make: Callable[[list[str]], Submission], in_flight: int
    ) -> Iterator[tuple[list[int], Job]]:
        """Yield the jobs in their order, with their texts' places; when one is asked for, the next are under way."""
        under_way: deque[tuple[list[int], Job]] = deque()
        while True:
            some = list(islice(left, in_flight - len(under_way)))
            sent = self._send([make(texts) for _, texts in some])
            under_way.extend((places, job) for (places, _), (job, _) in zip(some, sent, strict=True))
            if not under_way:
                return
            yield under_way.popleft()

    def _send(self, tasks: Sequence[Submission]) -> "list[tuple[Job, Future[None]]]":
        if self._closed:
            raise ClientClosed("This client is closed: make a new one.")
        sent = []
        publications = []
        for task in tasks:
            job = self._jobs[task.task] = Job(task.task, task.model, task.deadline, task.rows)
            message = publication(task, self._user, self._reply_to)
            message.confirmed.add_done_callback(partial(self._settle, job))
            publications.append(message)
            sent.append((job, message.confirmed))
        self._link.publish_all(publications)
        return sent

    def _taken(self, job: Job, confirmed: "Future[None]", wait: float | None = None) -> Job:
        """Return the job once the broker has taken it, or raise why it has not."""
        try:
            confirmed.result(self._timeout if wait is None else wait)
        except TimeoutError as error:
            if self._withdraw(job, confirmed):  # otherwise it was taken at the last moment
                raise BrokerUnreachable(
                    f"The broker at {self._link.address} did not take task {job.id} within {self._timeout:g} s."
                ) from error
        except PublishRejected:
            job.result(self._timeout)  # its callback runs after this future's waiters were woken
        return job

    def _withdraw(self, job: Job, confirmed: "Future[None]") -> bool:
        self._jobs.pop(job.id, None)
        return confirmed.cancel()

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
        self._seen = self._acknowledged = 0
        self._is_due = False
        # The broker cancels when the queue is gone; a new channel declares it anew.
        channel.add_on_cancel_callback(lambda _: None if self._closed else channel.close())
        channel.queue_declare(self._reply_to, durable=True, arguments=REPLY_ARGUMENTS)
        channel.queue_bind(self._reply_to, names.RESULTS, f"{self._reply_to}.*")
        channel.basic_qos(prefetch_count=_REPLY_PREFETCH)
        channel.basic_consume(self._reply_to, self._on_message, callback=lambda _: ready())

    def _leave(self, channel: Channel) -> None:
        channel.queue_delete(self._reply_to)

    def _on_message(
        self, channel: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        report = read_report(properties.user_id, body)
        job = self._jobs.get(report.task) if report else None
        if report and job:
            job.receive(report)
            if job.done:
                self._jobs.pop(job.id, None)
        self._seen = method.delivery_tag or 0
        # One acknowledgement for all that arrive together, or soon: the broker sends on without.
        if self._seen - self._acknowledged >= _ACKNOWLEDGE_EVERY:
            self._acknowledge(channel)
        elif not self._is_due:
            self._is_due = True
            self._link.call_later(_ACKNOWLEDGE_AFTER, lambda: self._acknowledge(channel))

    def _acknowledge(self, channel: Channel) -> None:
        self._is_due = False
        if channel.is_open and self._seen > self._acknowledged:
            self._acknowledged = self._seen
            channel.basic_ack(self._seen, multiple=True)
