"""A client's reply queue: every report on it goes to its job."""

from collections.abc import Callable

import pika
from pika.channel import Channel

from broker_config import names
from broker_config.link import Link
from starai.job import Job
from starai.report import REPLY_ARGUMENTS, read_report

_PREFETCH = 1000
_ACKNOWLEDGE_EVERY = 100
_ACKNOWLEDGE_AFTER = 0.02


class Replies:
    """Reads one client's reply queue, on its link's thread.

    Args:
        queue: the queue's name.
        jobs: the open jobs by their ids; one that ends is taken out.
    """

    def __init__(self, queue: str, jobs: dict[str, Job]) -> None:
        self.queue = queue
        self._jobs = jobs
        self._link: Link | None = None
        self._is_leaving = False
        self._seen = self._acknowledged = 0
        self._is_due = False

    def listen(self, channel: Channel, link: Link, ready: Callable[[], None]) -> None:
        """Declare the queue and read it over a new channel; ``ready`` is called once that stands."""
        self._link = link
        self._seen = self._acknowledged = 0
        self._is_due = False
        # The broker cancels when the queue is gone; a new channel declares it anew.
        channel.add_on_cancel_callback(lambda _: None if self._is_leaving else channel.close())
        channel.queue_declare(self.queue, durable=True, arguments=REPLY_ARGUMENTS)
        channel.queue_bind(self.queue, names.RESULTS, f"{self.queue}.*")
        channel.basic_qos(prefetch_count=_PREFETCH)
        channel.basic_consume(self.queue, self._on_message, callback=lambda _: ready())

    def leave(self, channel: Channel) -> None:
        """Delete the queue, as the last thing that is done."""
        self._is_leaving = True
        channel.queue_delete(self.queue)

    def _on_message(
        self, channel: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        report = read_report(properties.user_id, method.routing_key or "", body)
        job = self._jobs.get(report.task) if report else None
        if report and job:
            job.receive(report)
            if job.done:
                self._jobs.pop(job.id, None)
        self._seen = method.delivery_tag or 0
        # One acknowledgement for all that arrive together, or soon: the broker sends on without.
        if self._seen - self._acknowledged >= _ACKNOWLEDGE_EVERY:
            self._acknowledge(channel)
        elif not self._is_due and self._link:
            self._is_due = True
            self._link.call_later(_ACKNOWLEDGE_AFTER, lambda: self._acknowledge(channel))

    def _acknowledge(self, channel: Channel) -> None:
        self._is_due = False
        if channel.is_open and self._seen > self._acknowledged:
            self._acknowledged = self._seen
            channel.basic_ack(self._seen, multiple=True)
