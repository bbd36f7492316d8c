"""Hands tasks to the broker, and says of each whether it was taken."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from broker_config.link import Link
from starai.asking import ended
from starai.errors import BrokerError, BrokerUnreachable, ClientClosed, PublishRejected, Rejected, StarAIError
from starai.job import Job
from starai.reading import Reading
from starai.submission import Submission, publication
from starai.watch import Watch
from starai.withdrawals import Withdrawals

#: A task's job, and the future of the broker's having it.
Sent = tuple[Job, "Future[None]"]


class Sending:
    """Sends the tasks of one client.

    Args:
        user: the client's broker user.
        reply_to: where it reads its reports.
        jobs: its open jobs by their ids.
        watch: what its jobs ask about themselves.
        timeout: seconds to wait for the broker to take a task.
    """

    def __init__(self, user: str, reply_to: str, jobs: dict[str, Job], watch: Watch, timeout: float) -> None:
        self._user = user
        self._reply_to = reply_to
        self._jobs = jobs
        self._watch = watch
        self._timeout = timeout
        self._withdrawals = Withdrawals(watch.ledger)
        self._is_closed = False
        self._link: Link

    def connected(self, link: Link) -> None:
        """Send over this link from now on. Call it on the link's thread."""
        self._link = link
        self._withdrawals.connected(link)

    def close(self) -> None:
        """Take no more tasks; what is on its way is the link's to wait for."""
        self._is_closed = True
        self._withdrawals.send()

    def submit(self, task: Submission) -> Job:
        """Send one task, and return its job once the broker has taken it; see :meth:`send` and :meth:`taken`."""
        (sent,) = self.send([task])
        return self.taken(*sent)

    async def asubmit(self, task: Submission) -> Job:
        """Do the same in asyncio. Cancelled, it withdraws the task if it is not on its way yet."""
        ((job, confirmed),) = self.send([task])
        try:
            await ended(confirmed, self._timeout)
        except asyncio.CancelledError:
            if not self._give_up(job, confirmed):
                self._cancel(job)
            raise
        return self.taken(job, confirmed, wait=0)

    def send(self, tasks: Sequence[Submission]) -> list[Sent]:
        """Send tasks together, and return their jobs.

        Raises:
            ClientClosed: the client is closed.
            BrokerUnreachable, BrokerRefused: the link is closed, or was cut off.
        """
        if self._is_closed:
            raise ClientClosed("This client is closed: make a new one.")
        sent = []
        publications = []
        for task in tasks:
            job = self._jobs[task.task] = Job(task.task, task.model, task.deadline, task.expected, self._watch)
            job.reading = Reading() if task.stream else None  # before its first piece can come
            message = publication(task, self._user, self._reply_to)
            message.confirmed.add_done_callback(partial(self._settle, job))
            publications.append(message)
            sent.append((job, message.confirmed))
        self._link.publish_all(publications)
        return sent

    def taken(self, job: Job, confirmed: "Future[None]", wait: float | None = None) -> Job:
        """Return the job once the broker has taken it, or raise why it has not.

        Raises:
            Rejected: the model's queue is full.
            BrokerUnreachable: the broker did not take it in time; the task is withdrawn.
        """
        try:
            confirmed.result(self._timeout if wait is None else wait)
        except TimeoutError as error:
            if self._give_up(job, confirmed):  # otherwise it was taken at the last moment
                raise BrokerUnreachable(
                    f"The broker at {self._link.address} did not take task {job.id} within {self._timeout:g} s."
                ) from error
        except PublishRejected:
            job.result(self._timeout)  # its callback runs after this future's waiters were woken
        return job

    def _give_up(self, job: Job, confirmed: "Future[None]") -> bool:
        """Withdraw a task that the broker has not confirmed; it may have left, so that it is cancelled as well."""
        is_withdrawn = self.withdraw(job, confirmed)
        if is_withdrawn:
            self._cancel(job)
        return is_withdrawn

    @staticmethod
    def _cancel(job: Job) -> None:
        with suppress(StarAIError):  # the client is closed
            job.give_up()

    def withdraw(self, job: Job, confirmed: "Future[None]") -> bool:
        """Forget a job whose task is not confirmed; return whether that was so. If it has not left yet, it does not."""
        if not confirmed.cancel():
            return False
        self._jobs.pop(job.id, None)
        return True

    def _settle(self, job: Job, confirmed: "Future[None]") -> None:
        error = None if confirmed.cancelled() else confirmed.exception()
        if error is None:
            return
        self._jobs.pop(job.id, None)
        if isinstance(error, PublishRejected):
            full = Rejected(f"Task {job.id} was not taken: the queue of {job.model} is full. Try later.", job.id)
            full.__cause__ = error
            job.fail(full)
            self._withdrawals.add(job.id)
            if self._is_closed:  # it leaves before the link does
                self._withdrawals.send()
        elif isinstance(error, BrokerError):
            job.fail(error)
