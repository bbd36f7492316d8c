"""The platform's Celery app: assembles what the platform does, decides nothing.

Run it with ``celery -A celery_app worker -P threads``. Its broker and database come from the environment:
``STARAI_BROKER_URL`` (the platform's user) and ``STARAI_DATABASE_URL``.
"""

from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging
from kombu.entity import Queue

from broker_config import names
from broker_config.address import celery_tls
from broker_config.logs import log_to_stderr
from tasks.platform import Platform, platform_url

HEARTBEAT = 10

app = Celery("starai-platform", set_as_current=False)
app.conf.update(
    broker_url=platform_url(),
    broker_use_ssl=celery_tls(platform_url()),
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


class Answers(bootsteps.StartStopStep):
    """What the platform answers to strangers, beside Celery, for as long as the worker runs."""

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self._platform = Platform()
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:  # noqa: ARG002
        """Begin to answer."""
        self._platform.open()

    def stop(self, parent: Any) -> None:  # noqa: ARG002
        """Answer no more."""
        self._platform.close()

    terminate = stop


app.steps["worker"].add(Answers)


@setup_logging.connect(weak=False)
def _log_events(**_: Any) -> None:
    log_to_stderr()
