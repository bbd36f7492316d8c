"""Events on behalf of devices, as a stock Celery receiver hears them from a real broker."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.events.state import State

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.ledger_changes import Changes
from registry.ledger_rows import AttemptRow, TaskRow
from registry.owners import add_owner
from registry.states import set_state
from registry.task_state import Outcome, TaskState
from tasks import device_events
from tasks.device_events import DeviceEvents

START = datetime.now(UTC)


class Heard:
    """What a stock receiver heard, and the state that Celery makes of it."""

    def __init__(self, url: str) -> None:
        self.events: list[dict] = []
        self.state = State()
        self._over = threading.Event()
        self._ready = threading.Event()
        app = Celery("flower", broker=url, set_as_current=False)
        app.conf.event_queue_exclusive = True
        self._app = app
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        assert self._ready.wait(10)

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def types(self, hostname: str) -> list[str]:
        return [event["type"] for event in self.events if event["hostname"] == hostname]

    def _listen(self) -> None:
        with self._app.connection() as connection:
            receiver = self._app.events.Receiver(connection, handlers={"*": self._take})
            with receiver.consumer_context() as (consuming, _, _):
                self._ready.set()
                while not self._over.is_set():
                    with contextlib.suppress(TimeoutError):
                        consuming.drain_events(timeout=0.1)

    def _take(self, event: dict) -> None:
        self.state.event(event)
        self.events.append(event)


@pytest.fixture
def heard(broker) -> Iterator[Heard]:
    heard = Heard(broker.url())
    yield heard
    heard.close()


@pytest.fixture
def events(broker, engine, monkeypatch) -> Iterator[DeviceEvents]:
    """The publisher, on a registry in which device-1 and device-2 are enrolled and the first is active."""
    monkeypatch.setattr(device_events, "INTERVAL", 0.2)
    with session(engine) as registry:
        add_owner(registry, "ada")
        for device in ("device-1", "device-2"):
            enrol_device(registry, device, "ada", Region.ASIA)
            deploy(registry, device, [Planned("all-minilm-l6-v2", Tier.TINY, slots=4)])
        set_state(registry, "device-1", DeviceState.ACTIVE, "tested")
    events = DeviceEvents(broker.url(), engine, broker.node.api)
    events.open()
    yield events
    events.close()


def changes(state: TaskState, device: str = "device-1", task: str = "task-1") -> Changes:
    row = TaskRow("ann", task, START, "asia", "tiny", "all-minilm-l6-v2", state=state)
    if state is TaskState.QUEUED:
        return Changes(new_tasks=[row])
    row.device, row.started_at = device, START
    attempt = AttemptRow("ann", task, f"run-{task}", device, START)
    if state is TaskState.SUCCEEDED:
        row.ended_at = START + timedelta(seconds=2)
        attempt.outcome = Outcome.SUCCEEDED
    return Changes(changed_tasks=[row], new_attempts=[attempt])


def test_what_is_recorded_of_a_task_is_heard_as_celerys_own_events(heard, events, until) -> None:
    for state in (TaskState.QUEUED, TaskState.STARTED, TaskState.SUCCEEDED):
        events.on_recorded(changes(state))

    until(lambda: "task-succeeded" in heard.types("device-1"))
    task = heard.state.tasks["task-1"]
    assert (task.name, task.state, task.runtime) == ("starai.inference", "SUCCESS", 2.0)
    assert (task.worker.hostname, task.routing_key) == ("device-1", "asia.tiny")
    assert task.started == pytest.approx(START.timestamp())


def test_a_connected_device_is_online_until_it_goes(broker, heard, events, until) -> None:
    with broker.channel(broker.device("device-1")):
        until(lambda: "worker-heartbeat" in heard.types("device-1"), 30)
        assert heard.state.workers["device-1"].alive

    until(lambda: "worker-offline" in heard.types("device-1"), 30)
    assert not heard.state.workers["device-1"].alive


def test_a_device_that_nobody_enrolled_is_no_worker(heard, events, until) -> None:
    events.on_recorded(changes(TaskState.SUCCEEDED, device="stranger", task="task-2"))
    events.on_recorded(changes(TaskState.SUCCEEDED))

    until(lambda: "task-succeeded" in heard.types("device-1"))
    assert heard.types("stranger") == []


def test_what_is_too_much_is_left_out_and_counted_and_ends_go_first(
    broker, engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, heard: Heard, until: Callable
) -> None:
    monkeypatch.setattr(device_events, "_QUEUE", 4)
    events = DeviceEvents(broker.url(), engine, None)
    for number in range(5):
        events.on_recorded(changes(TaskState.QUEUED, task=f"open-{number}"))
    for number in range(5):
        events.on_recorded(changes(TaskState.SUCCEEDED, task=f"ended-{number}"))

    events.open()
    try:
        until(lambda: "ended-1" in heard.state.tasks)
    finally:
        events.close()
    assert set(heard.state.tasks) == {"open-0", "open-1", "ended-0", "ended-1"}
    assert [record.tasks for record in caplog.records if record.message == "events.dropped"] == [6]
