"""The client: submit a task to the network, get its result."""

import re
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Self
from weakref import WeakSet

from pika.channel import Channel

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from broker_config.regions import Region, parse_region
from starai.ahead import Ahead
from starai.answer import Vector
from starai.asking import Asking
from starai.errors import BadInput, BrokerError, ClientClosed, TaskError
from starai.generation import Options
from starai.inputs import Asked, Message
from starai.job import Job
from starai.ledger import Ledger
from starai.listing import Listing
from starai.replies import Replies
from starai.request import TASK_ID, JobStatus
from starai.sending import Sending, Sent
from starai.settings import find_network
from starai.stream import Stream
from starai.submission import DEADLINE, submission
from starai.watch import Watch

# So many tasks leave together: the broker begins on them while the next ones are made.
_AT_ONCE = 100


class Client:
    """A submitter's connection to the network. Safe to share between threads.

    Args:
        url: the broker's address; by default ``STARAI_BROKER_URL``, else this machine's own network.
        region: where the submitter is; by default ``STARAI_REGION``, else what the local network says.
        timeout: seconds to wait for the broker, to connect and to take a task, and for the platform to answer.

    Raises:
        SettingError: no network is known.
        BrokerUnreachable, BrokerRefused: it could not be reached, or refused the login.
        InvalidName: there is no such region.
    """

    def __init__(self, url: str | None = None, *, region: str | None = None, timeout: float = 5.0) -> None:
        address, self.region = find_network(url, region)
        self._timeout = timeout
        user = user_of(address)
        self._jobs: dict[str, Job] = {}
        self._streams: WeakSet[Stream] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        self._replies = Replies(names.new_reply_queue(user), self._jobs)
        self._asking = Asking(user, timeout)
        self._watch = Watch(Ledger(self._asking, self._replies.queue), self._jobs)
        self._sending = Sending(user, self._replies.queue, self._jobs, self._watch, timeout)
        self._link = Link(address, f"starai client {user}", self._set_up, self._replies.leave)
        self._link.open(timeout)

    def submit(
        self,
        model: str,
        inputs: Asked,
        *,
        options: Options | None = None,
        region: str | None = None,
        deadline: float = DEADLINE,
        lease: float | None = None,
    ) -> Job:
        """Submit one task and return its job once the broker has taken it.

        Args:
            model: a model's name, or a tier's for the tier's default model.
            inputs: of a model that embeds one text, or a list of at most ``MAX_TEXTS``; one longer than the model
                reads is cut off by it. Of a language model a prompt, or a conversation: a list of messages. Of a model
                that takes named arrays, a dict of those.
            options: how a language model is to go on; without them by its defaults.
            region: where to look for a device first; by default the client's region.
            deadline: seconds after which the task is not worth doing any more.
            lease: seconds, 1 to 3600, that it may run on one device before it is given to another, or, where a text
                is generated, without making more of it; by default what the network allows every task.

        Raises:
            BadInput: the inputs, the deadline or the lease are not that.
            InvalidName: the model's name or the region cannot be one.
            Rejected: the model's queue is full.
            ClientClosed: this client is closed.
            BrokerUnreachable: the broker did not take it in time; the task is withdrawn.
        """
        return self._sending.submit(submission(model, inputs, self._region(region), deadline, lease, options))

    async def asubmit(
        self,
        model: str,
        inputs: Asked,
        *,
        options: Options | None = None,
        region: str | None = None,
        deadline: float = DEADLINE,
        lease: float | None = None,
    ) -> Job:
        """Do as :meth:`submit` does, in asyncio. When it is cancelled, so is the task."""
        return await self._sending.asubmit(submission(model, inputs, self._region(region), deadline, lease, options))

    def stream(
        self,
        model: str,
        prompt: str | Sequence[Message],
        *,
        options: Options | None = None,
        region: str | None = None,
        deadline: float = DEADLINE,
        lease: float | None = None,
    ) -> Stream:
        """Submit a prompt or a conversation to a language model, and return the pieces of its text as they are made.

            for piece in client.stream("phi3-3.8b", "Why is the sky blue?"):
                print(piece, end="", flush=True)

        The arguments are those of :meth:`submit`, which says what is raised; :class:`starai.Stream` says what comes.
        """
        where = self._region(region)
        task = submission(model, prompt, where, deadline, lease, options or Options(), stream=True)
        return self._streaming(self._sending.submit(task))

    async def astream(
        self,
        model: str,
        prompt: str | Sequence[Message],
        *,
        options: Options | None = None,
        region: str | None = None,
        deadline: float = DEADLINE,
        lease: float | None = None,
    ) -> Stream:
        """Do as :meth:`stream` does, in asyncio: ``async for piece in await client.astream(...)``."""
        where = self._region(region)
        task = submission(model, prompt, where, deadline, lease, options or Options(), stream=True)
        return self._streaming(await self._sending.asubmit(task))

    def submit_many(
        self,
        model: str,
        inputs: Iterable[Asked],
        *,
        options: Options | None = None,
        region: str | None = None,
        deadline: float = DEADLINE,
        lease: float | None = None,
    ) -> list[Job]:
        """Submit many tasks and return their jobs, in that order, once the broker has taken them all.

        Each element is one task's inputs. They leave together, so that this takes far less time than as many calls of
        :meth:`submit`. Nothing is submitted when one of them is not an input. It raises what became of the first that
        was not taken, as :meth:`submit` says; what was taken is done all the same, and its result dropped.
        """
        if isinstance(inputs, str):
            raise BadInput("submit_many() takes the inputs of many tasks, not one text: use submit().")
        where = self._region(region)
        tasks = iter([submission(model, each, where, deadline, lease, options) for each in inputs])
        sent: list[Sent] = []
        while some := list(islice(tasks, _AT_ONCE)):
            sent += self._sending.send(some)
        try:
            return [self._sending.taken(job, confirmed) for job, confirmed in sent]
        except (TaskError, BrokerError):
            for job, confirmed in sent:
                self._sending.withdraw(job, confirmed)
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
        lease: float | None = None,
    ) -> Iterator[Vector]:
        """Return an iterator over the answers to many texts, in their order.

        The texts are split into tasks of ``batch`` of them, of which at most ``in_flight`` are under way. Of a list,
        texts of like length go together, and the first answers come when about a thousand are done. Other inputs are
        read no faster than that, and go in their order. The first error ends the iteration.
        """
        make = partial(submission, model, region=self._region(region), deadline=deadline, lease=lease)
        return Ahead(inputs, make, self._sending.send, batch, in_flight).vectors()

    def amap(
        self,
        model: str,
        inputs: Iterable[str],
        *,
        region: str | None = None,
        batch: int = 64,
        in_flight: int = 32,
        deadline: float = DEADLINE,
        lease: float | None = None,
    ) -> AsyncIterator[Vector]:
        """Do as :meth:`map` does, for ``async for``."""
        make = partial(submission, model, region=self._region(region), deadline=deadline, lease=lease)
        return Ahead(inputs, make, self._sending.send, batch, in_flight).avectors()

    def job(self, task: str) -> Job:
        """Return the job of that id, whichever process submitted it as this user. Nothing is asked yet.

        Raises:
            BadInput: no id looks like that.
        """
        if not re.fullmatch(TASK_ID, task):
            raise BadInput(f"{task[:80]!r} is no task's id: those of your jobs are in Job.id and in Client.jobs().")
        return self._jobs.get(task) or Job(task, watch=self._watch)

    def jobs(
        self, *, state: str | Iterable[str] | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[JobStatus]:
        """Return what the network's ledger knows of this user's jobs, the newest first.

        Args:
            state: of which state, or of which states: see :class:`starai.request.JobState`.
            since: submitted then or later; with a time zone.
            limit: at most so many.

        Raises:
            BadInput: an argument is not that.
            BrokerUnreachable, RegistryError: nobody answered, or the platform cannot say just now.
        """
        listing = Listing(self._watch.ledger, state, since, limit)
        while page := listing.ask():
            listing.take(page.get())
        return listing.jobs

    async def ajobs(
        self, *, state: str | Iterable[str] | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[JobStatus]:
        """Do as :meth:`jobs` does, in asyncio."""
        listing = Listing(self._watch.ledger, state, since, limit)
        while page := listing.ask():
            listing.take(await page)
        return listing.jobs

    def retry(self, task: str, deadline: float = DEADLINE) -> Job:
        """Try a job again that failed or expired, and return it; :meth:`starai.Job.retry` says more."""
        job = self.job(task)
        job.retry(deadline)
        return job

    @property
    def is_connected(self) -> bool:
        """Whether the connection to the broker stands at this moment; a client that lost it goes on trying."""
        return self._link.is_connected

    def close(self) -> None:
        """Wait for what is on its way to the broker, then disconnect. Jobs without a result end as closed."""
        if self._closed:
            return
        self._closed = True
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.close()
        self._sending.close()
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

    def _streaming(self, job: Job) -> Stream:
        stream = Stream(job)
        with self._lock:
            self._streams.add(stream)
        return stream

    def _set_up(self, channel: Channel, ready: Callable[[], None]) -> None:
        self._asking.listen(channel, self._link)
        self._sending.connected(self._link)
        # Reports are transient: what waited in the reply queue of a broker that crashed is only in the ledger now.
        self._watch.connected(self._link)
        self._replies.listen(channel, self._link, ready)
