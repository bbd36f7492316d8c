"""The platform's Celery app: assembles what the platform does, decides nothing.

Run it with ``celery -A celery_app worker -P threads``. Its broker and database come from the environment:
``STARAI_BROKER_URL`` (the platform's user) and ``STARAI_DATABASE_URL``.
"""

from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging
from kombu.entity import Queue
from kombu.messaging import Consumer

from broker_config import names
from broker_config.logs import log_to_stderr
from tasks.platform import Platform, platform_url

HEARTBEAT = 10

app = Celery("starai-platform", set_as_current=False)
app.conf.update(
    broker_url=platform_url(),
    broker_heartbeat=HEARTBEAT,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # Only the platform may write to this exchange; Celery's own tasks are read from nowhere else.
    task_queues=[Queue(names.PLATFORM, no_declare=True)],
    task_default_queue=names.PLATFORM,
    task_default_exchange=names.PLATFORM,
    task_default_routing_key=names.PLATFORM,
    task_create_missing_queues=False,
)


class Unplaced(bootsteps.ConsumerStep):
    """Reads the tasks that no queue took. They come from strangers: plain messages, never Celery tasks."""

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self._platform: Platform | None = None
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:
        """Open what answers, then consume."""
        self._platform = Platform()
        super().start(parent)

    def shutdown(self, parent: Any) -> None:
        """Stop consuming, then close what answers."""
        super().shutdown(parent)
        if self._platform:
            self._platform.close()

    def get_consumers(self, channel: Any) -> list[Consumer]:
        """Return the one consumer."""
        queue = Queue(names.UNPLACED, no_declare=True)
        return [Consumer(channel, [queue], on_message=self._on_message, prefetch_count=100)]

    def _on_message(self, message: Any) -> None:
        assert self._platform is not None  # noqa: S101
        self._platform.answer_unplaced(message.headers, message.properties, message.delivery_info["routing_key"])
        message.ack()


app.steps["consumer"].add(Unplaced)


@setup_logging.connect(weak=False)
def _log_events(**_: Any) -> None:
    log_to_stderr()
