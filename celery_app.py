"""The platform's Celery app and its schedule: assembles what the platform does, decides nothing.

Run it with ``celery -A celery_app worker -P threads`` and, once in a network, ``celery -A celery_app beat``. Its broker
and database come from the environment: ``STARAI_BROKER_URL`` (the platform's user) and ``STARAI_DATABASE_URL``.
"""

from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging
from kombu.entity import Queue

from broker_config import names
from broker_config.address import celery_tls
from broker_config.logs import log_to_stderr
from tasks.health.cycle_settings import CycleSettings
from tasks.platform import Platform, platform_url
from tasks.upkeep import Upkeep, UpkeepSettings

HEARTBEAT = 10
# The sweep, a cycle, its short form and what forgets each have a thread, whatever the others wait for.
CONCURRENCY = 6


def _every(task: str, seconds: float) -> dict[str, Any]:
    """One entry of the schedule. What the worker could not do before the next one is due is left out."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


_SETTINGS, _HEALTH = UpkeepSettings(), CycleSettings()

app = Celery("starai-platform", set_as_current=False)
app.conf.update(
    broker_url=platform_url(),
    broker_use_ssl=celery_tls(platform_url()),
    broker_heartbeat=HEARTBEAT,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_concurrency=CONCURRENCY,
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
    beat_schedule={
        "health": _every("starai.health", _HEALTH.health_seconds),
        "greetings": _every("starai.greetings", _HEALTH.greeting_seconds),
        "sweep": _every("starai.sweep", _SETTINGS.sweep_seconds),
        "retention": _every("starai.retention", _SETTINGS.retention_seconds),
    },
    # Nothing is kept between two starts: all there is recurs, and Celery's other scheduler would pickle it.
    beat_scheduler="celery.beat:Scheduler",
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


class Looks(bootsteps.StartStopStep):
    """What the platform looks after when beat says so."""

    # Its link goes before the pool waits for a sweep that is under way.
    requires = ("celery.worker.components:Pool", Answers)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        app.upkeep = Upkeep()
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:  # noqa: ARG002
        """Connect."""
        app.upkeep.open()

    def stop(self, parent: Any) -> None:  # noqa: ARG002
        """Disconnect."""
        app.upkeep.close()

    terminate = stop


@app.task(name="starai.sweep")
def sweep() -> None:
    """Look for what is overdue or lost."""
    app.upkeep.sweep()


@app.task(name="starai.health")
def health() -> None:
    """Ask all devices how they are."""
    app.upkeep.check_health()


@app.task(name="starai.greetings")
def greetings() -> None:
    """Ask devices that have just come how they are."""
    app.upkeep.check_greeted()


@app.task(name="starai.retention")
def retention() -> None:
    """Forget what is old."""
    app.upkeep.forget()


app.steps["worker"].update((Answers, Looks))


@setup_logging.connect(weak=False)
def _log_events(**_: Any) -> None:
    log_to_stderr()
