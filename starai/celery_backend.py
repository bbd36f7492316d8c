"""For programs that submit with Celery itself: the result backend that reads this network's reports.

    app = Celery(broker="amqps://user:password@host/starai", backend="starai.celery_backend:ReportBackend")
    result = app.send_task(
        "starai.inference", kwargs={"inputs": ["a text"]}, exchange="submissions",
        routing_key="asia.all-minilm-l6-v2", user_id="user", reply_to=app.backend.oid, declare=[],
    )
    result.get(timeout=30)

Only such programs import it, and Celery with it.
"""

from functools import cached_property
from typing import Any

from celery import states
from celery.backends.rpc import ResultConsumer, RPCBackend
from kombu.entity import Exchange, Queue

from broker_config import names
from starai.answer import Expected
from starai.errors import BadInput, FailedOnDevice
from starai.outcome import error_of
from starai.report import REPLY_ARGUMENTS, read_report
from starai.wire import FINAL, Report, State


class ReportConsumer(ResultConsumer):
    """Reads reports where Celery would read results of its own."""

    def on_state_change(self, meta: Any, message: Any) -> None:  # noqa: ARG002 - Celery's reading of the same message
        """Take in one report; what is none, or of a sender who is not who it says, is dropped."""
        key = message.delivery_info.get("routing_key") or ""
        if report := read_report(message.properties.get("user_id"), key, message.body):
            super().on_state_change(meta_of(report), message)


class ReportBackend(RPCBackend):
    """Reads the results of ``starai.inference``. ``oid`` is the reply queue, which each task has to name.

    ``get()`` waits for a result; ``state`` and ``ready()`` know of those that some ``get()`` has read.
    """

    ResultConsumer = ReportConsumer

    @cached_property
    def oid(self) -> str:
        """Name the reply queue of this app, which is declared with its first task."""
        return names.new_reply_queue(self.app.connection().userid)

    @property
    def binding(self) -> Queue:
        """The reply queue, bound to the reports of this app's tasks."""
        results = Exchange(names.RESULTS, type="topic", no_declare=True)
        return Queue(self.oid, results, f"{self.oid}.*", durable=True, queue_arguments=REPLY_ARGUMENTS)

    def get_task_meta(self, task_id: str, backlog_limit: int = 1000) -> dict[str, Any]:  # noqa: ARG002 - Celery's
        """Return what was read of a task so far."""
        read = self._pending_messages.get(task_id)
        return dict(read[-1]) if read else {"status": states.PENDING, "result": None}


def meta_of(report: Report) -> dict[str, Any]:
    """Return a report as Celery knows the state of a task: what :meth:`starai.Job.result` returns or raises."""
    if report.state not in FINAL:
        return {"task_id": report.task, "status": states.STARTED, "result": None}
    if report.state is not State.SUCCEEDED or report.output is None:
        return {"task_id": report.task, "status": states.FAILURE, "result": error_of(report)}
    try:
        return {"task_id": report.task, "status": states.SUCCESS, "result": Expected().answer(report.output)}
    except BadInput as error:
        broken = FailedOnDevice(f"Device {report.device} sent a broken result: {error}", report.task)
        return {"task_id": report.task, "status": states.FAILURE, "result": broken}
